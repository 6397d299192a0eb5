#version 330
// One triangle over the whole viewport. This is the only place where a picture's row 0 (top)
// meets OpenGL's row 0 (bottom) on the way in; the presenters' read_back is the way out.
uniform vec2 size;   // of the pictures, in pixels
out vec2 pixel;      // place in the picture, in pixels from its top left corner

void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    pixel = vec2(corner.x, 1.0 - corner.y) * size;
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
