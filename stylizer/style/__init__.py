"""The style stage: frames in, styled images of the same size out; opening.py opens a model."""
