#version 330
// Everything that moves as a rigid part: one matrix a part, for this frame and the next.
#include "demo_light.glsl"

uniform mat4 view_projection;
uniform mat4 next_view_projection;
uniform vec3 eye;
const int PART_COUNT = 80;  // 2 x 320 vectors: within the 1024 that GL 3.3 promises
uniform mat4 parts[PART_COUNT];
uniform mat4 next_parts[PART_COUNT];

in vec3 position;
in vec3 normal;
in vec4 color;
in int part;

flat out vec3 shade;
out vec4 next_clip;

void main() {
    vec4 world = parts[part] * vec4(position, 1.0);
    gl_Position = view_projection * world;
    next_clip = next_view_projection * (next_parts[part] * vec4(position, 1.0));
    // Scales are near even, so the matrix itself turns the normal.
    vec3 turned = normalize(mat3(parts[part]) * normal + vec3(0.0, 1e-9, 0.0));
    shade = fogged(lit(color.rgb, turned), world.xyz - eye, color.a);
}
