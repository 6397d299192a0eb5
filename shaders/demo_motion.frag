#version 330
// Exact motion of what this pixel shows: where its surface point lies in the next frame.
uniform vec2 size;  // pixels

in vec4 next_clip;
out vec4 motion;    // x right, y down in pixels; distance along the view axis in meters

void main() {
    // The projection is flipped (row 0 on top), so y already grows downwards.
    vec2 next_px = (next_clip.xy / next_clip.w * 0.5 + 0.5) * size;
    motion = vec4(next_px - gl_FragCoord.xy, 1.0 / gl_FragCoord.w, 1.0);
}
