#version 330
// Dear ImGui's triangles: pixels with the origin at the top left, to clip space.
uniform vec2 size;  // of the framebuffer, in pixels
in vec2 position;
in vec2 uv;
in vec4 color;
out vec2 at;
out vec4 tint;

void main() {
    at = uv;
    tint = color;
    vec2 place = position / size * 2.0 - 1.0;
    gl_Position = vec4(place.x, -place.y, 0.0, 1.0);
}
