"""The integer fast network as fragment passes of OpenGL 3.3: any GPU, no runtime but the driver."""
