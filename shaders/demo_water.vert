#version 330
// Water: three slow sine waves; color from depth, from the sky it mirrors and a little glitter.
#include "demo_light.glsl"

uniform mat4 view_projection;
uniform mat4 next_view_projection;
uniform vec3 eye;
uniform vec3 phase;       // of each wave, radians
uniform vec3 next_phase;

in vec3 position;  // at rest
in vec3 extra;     // water depth in m, wave strength 0..1, tint -1..1

flat out vec3 shade;
out vec4 next_clip;

const mat3x2 WAVES = mat3x2(0.11, 0.07, -0.09, 0.13, 0.21, -0.10);  // radians a meter
const vec3 HEIGHTS = vec3(0.16, 0.12, 0.07);

float height(vec3 at) {
    return dot(HEIGHTS, sin(at)) * extra.y;
}

void main() {
    vec3 angle = position.xz * WAVES;
    vec3 now = angle + phase;
    vec3 world = position + vec3(0.0, height(now), 0.0);
    gl_Position = view_projection * vec4(world, 1.0);
    vec3 then = position + vec3(0.0, height(angle + next_phase), 0.0);
    next_clip = next_view_projection * vec4(then, 1.0);

    vec2 slope = WAVES * (HEIGHTS * cos(now)) * extra.y * 2.5;
    vec3 normal = normalize(vec3(-slope.x, 1.0, -slope.y));
    vec3 from_eye = world - eye;
    vec3 ray = normalize(from_eye);
    float clear = exp(-max(extra.x, 0.0) * 0.30);
    vec3 body = mix(vec3(0.05, 0.27, 0.45), vec3(0.20, 0.62, 0.62), clear);
    body = mix(body, vec3(0.86, 0.93, 0.88), smoothstep(0.62, 0.95, clear) * 0.75);
    body *= 1.0 + 0.10 * extra.z;
    float fresnel = 0.06 + 0.62 * pow(1.0 - max(dot(-ray, normal), 0.0), 4.0);
    vec3 mirrored = reflect(ray, normal);
    mirrored.y = abs(mirrored.y);
    vec3 color = mix(body, sky_color(mirrored), fresnel);
    color += GLOW * 0.34 * pow(max(dot(mirrored, SUN), 0.0), 20.0);
    shade = fogged(color, from_eye, 1.0);
}
