#version 330
// The sky's gradient, mixed between the dome's vertices.
in vec3 shade;
out vec4 pixel;

void main() {
    pixel = vec4(shade, 1.0);
}
