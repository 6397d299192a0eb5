#version 330
// The sky at infinity: a dome of directions, and a patch around the sun drawn before it.
#include "demo_light.glsl"

uniform mat4 view_projection;       // without the camera's place
uniform mat4 next_view_projection;

in vec3 direction;
in vec2 disc;  // 1 inside the sun; strength of its halo

out vec3 shade;
out vec4 next_clip;

const float DISTANCE = 1e5;  // meters: what the depth says of the sky

void main() {
    gl_Position = view_projection * vec4(direction * DISTANCE, 0.0);
    next_clip = next_view_projection * vec4(direction * DISTANCE, 0.0);
    // The patch lies a hair in front of the dome, both behind everything else.
    gl_Position.z = gl_Position.w * (1.0 - (disc.y >= 0.0 ? 4e-6 : 1e-6));
    vec3 sky = sky_color(normalize(direction));
    sky = mix(sky, vec3(1.0, 0.92, 0.72), max(disc.y, 0.0));
    shade = mix(sky, vec3(1.0, 0.98, 0.90), disc.x);
}
