#version 330
// One color a face, computed at its provoking vertex: nothing is left to do a pixel.
flat in vec3 shade;
out vec4 pixel;

void main() {
    pixel = vec4(shade, 1.0);
}
