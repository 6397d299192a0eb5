#version 330
// Two styles of one frame in one picture, drawn as the screen has it, bottom row first, so that it
// can be shown by a plain copy. `pixel` is the place in both, counted from the top. Each is read as
// it was given: FIRST_PLANAR, SECOND_PLANAR (three layers), FIRST_BOTTOM_UP, SECOND_BOTTOM_UP.
//   MASKED  inside the mask the second is seen alone
in vec2 pixel;
uniform vec2 size;
uniform float share;  // of the second
#ifdef FIRST_PLANAR
uniform sampler2DArray first_picture;
#else
uniform sampler2D first_picture;
#endif
#ifdef SECOND_PLANAR
uniform sampler2DArray second_picture;
#else
uniform sampler2D second_picture;
#endif
#ifdef MASKED
uniform sampler2D mask;
#endif
out vec4 mixed;

vec3 color(sampler2D picture, vec2 at) { return texture(picture, at).rgb; }
vec3 color(sampler2DArray picture, vec2 at) {
    vec3 found;
    for (int i = 0; i < 3; i++) found[i] = texture(picture, vec3(at, i)).r;
    return found;
}

void main() {
    vec2 at = pixel / size, flipped = vec2(at.x, 1.0 - at.y);
#ifdef FIRST_BOTTOM_UP
    vec3 first = color(first_picture, flipped);
#else
    vec3 first = color(first_picture, at);
#endif
#ifdef SECOND_BOTTOM_UP
    vec3 second = color(second_picture, flipped);
#else
    vec3 second = color(second_picture, at);
#endif
    float part = share;
#ifdef MASKED
    part = mix(part, 1.0, texture(mask, at).r);
#endif
    mixed = vec4(mix(first, second, part), 1.0);
}
