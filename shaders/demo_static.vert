#version 330
// Terrain, trees and buildings: sunlight and shadow are already in the color.
#include "demo_light.glsl"

uniform mat4 view_projection;
uniform mat4 next_view_projection;
uniform vec3 eye;

in vec3 position;
in vec4 color;

flat out vec3 shade;
out vec4 next_clip;

void main() {
    gl_Position = view_projection * vec4(position, 1.0);
    next_clip = next_view_projection * vec4(position, 1.0);
    shade = fogged(color.rgb, position - eye, color.a);
}
