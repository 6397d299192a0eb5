#version 330
// The styled picture with less flicker: where the source stands still the picture before is held,
// where it moves the new one is taken at once. Alpha carries the source's luma to the next frame.
// It is drawn as the screen has it, bottom row first, so that it can be shown by a plain copy:
// `pixel` is the place in source and styled picture, counted from the top. All samplers take the
// nearest pixel: on llvmpipe texture() then costs a sixth less than texelFetch.
in vec2 pixel;
uniform vec2 size;
uniform sampler2D source_picture;
uniform sampler2D before;  // what this pass drew for the last pair
uniform float keep;        // share of it that is kept where nothing moves; 0 after a cut
#ifdef PLANAR
uniform sampler2DArray styled_picture;
#else
uniform sampler2D styled_picture;
#endif
out vec4 steady;

const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);  // Rec. 709
// Luma steps: below the first it is noise (capture, video coding), above the second motion.
const float STILL = 2.5 / 255.0, MOVED = 10.0 / 255.0;

void main() {
    vec2 at = pixel / size, flipped = vec2(at.x, 1.0 - at.y);
#ifdef PLANAR
    vec3 styled;
    for (int i = 0; i < 3; i++) styled[i] = texture(styled_picture, vec3(at, i)).r;
#elif defined(BOTTOM_UP)
    vec3 styled = texture(styled_picture, flipped).rgb;
#else
    vec3 styled = texture(styled_picture, at).rgb;
#endif
    float luma = dot(texture(source_picture, at).rgb, LUMA);
    vec4 old = texture(before, flipped);
    float moved = clamp((abs(luma - old.a) - STILL) / (MOVED - STILL), 0.0, 1.0);
    steady = vec4(mix(styled, old.rgb, keep * (1.0 - moved)), luma);
}
