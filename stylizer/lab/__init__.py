"""The lab: everything that needs torch (training, judging). The live window never imports it."""
