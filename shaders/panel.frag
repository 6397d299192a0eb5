#version 330
// A laid-out panel onto the picture, pixel for pixel. Both have their last row first.
uniform sampler2D panel;
out vec4 shown;

void main() {
    shown = texelFetch(panel, ivec2(gl_FragCoord.xy), 0);
}
