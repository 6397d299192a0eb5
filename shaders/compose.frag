#version 330
// Source and styled picture to the framebuffer in one pass. Compiled in variants, so that the plain
// cases cost no more than a copy:
//   EXACT   the picture is shown 1:1: texelFetch, else linear filtering (twice the cost on llvmpipe)
//   PLANAR  the styled picture is three layers of one channel, as most networks give it
//   SMALL   the styled picture has the network's size, not the frame's: it is upsampled here
//   DETAIL  and only what the network changed of the frame
//   BOTTOM_UP  the styled picture has its last row first: drawn by stabilize.frag, or given so
//   SOURCE, STYLED or BLEND: which pictures are seen
//   MASKED  the style is weaker where the mask says so (with BLEND)
//   TINTED  and the mask itself is seen
in vec2 pixel;
out vec4 shown;

uniform sampler2D source_picture;
uniform vec2 size;
#ifdef PLANAR
uniform sampler2DArray styled_picture;
#else
uniform sampler2D styled_picture;
#endif

#ifdef EXACT
vec3 source_color() { return texelFetch(source_picture, ivec2(pixel), 0).rgb; }
#else
vec3 source_color() { return texture(source_picture, pixel / size).rgb; }
#endif

#if defined(EXACT) && !defined(SMALL)
#define STYLED_EXACT
#endif
#ifdef BOTTOM_UP
vec2 styled_pixel() { return vec2(pixel.x, size.y - pixel.y); }
#else
vec2 styled_pixel() { return pixel; }
#endif
#ifdef PLANAR
#ifdef STYLED_EXACT
float plane(int layer) { return texelFetch(styled_picture, ivec3(styled_pixel(), layer), 0).r; }
#else
float plane(int layer) { return texture(styled_picture, vec3(styled_pixel() / size, layer)).r; }
#endif
vec3 network_color() { return vec3(plane(0), plane(1), plane(2)); }
#else
#ifdef STYLED_EXACT
vec3 network_color() { return texelFetch(styled_picture, ivec2(styled_pixel()), 0).rgb; }
#else
vec3 network_color() { return texture(styled_picture, styled_pixel() / size).rgb; }
#endif
#endif

#ifdef DETAIL
uniform sampler2D model_input;  // the source as the network saw it

// Only the network's change is upsampled and put onto the frame, whose own detail so stays.
vec3 styled_color() {
    vec3 change = network_color() - texture(model_input, pixel / size).rgb;
    return clamp(source_color() + change, 0.0, 1.0);
}
#else
vec3 styled_color() { return network_color(); }
#endif

#if defined(MASKED) || defined(TINTED)
uniform sampler2D mask;  // of the frame's size; 1 inside
#endif
#ifdef MASKED
uniform float mask_strength;
#ifdef EXACT
float inside() { return texelFetch(mask, ivec2(pixel), 0).r; }
#else
float inside() { return texture(mask, pixel / size).r; }
#endif
#endif

#ifdef TINTED
const vec3 TINT = vec3(1.0, 0.76, 0.36);

// Whether the mask goes from outside to inside within so many pixels of the framebuffer.
bool at_edge(float pixels) {
    vec2 reach = pixels * fwidth(pixel);
    float here = texture(mask, pixel / size).r, low = here, high = here;
    for (int i = 0; i < 4; i++) {
        vec2 to = reach * vec2((i & 1) * 2 - 1, (i & 2) - 1);
        float there = texture(mask, (pixel + to) / size).r;
        low = min(low, there);
        high = max(high, there);
    }
    return low < 0.5 && high >= 0.5;
}

// A tint over the mask and an outline where it is half inside, with a shade to be seen on snow.
vec3 tinted(vec3 color) {
    if (at_edge(1.0)) return TINT;
    if (at_edge(2.0)) return 0.4 * color;
    return mix(color, TINT, 0.3 * texture(mask, pixel / size).r);
}
#endif

#ifdef BLEND
uniform float strength;
uniform bool keep_colors;
uniform float wipe_x;  // of the line, in framebuffer pixels; below 0 there is no wipe

// Luma of Rec. 709 (ITU-R BT.709-6, 3.2), on the encoded values as that standard does.
const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);

// The styled picture's luma with the source's chroma. In Y'CbCr, Cb = (B - Y) / 1.8556 and
// Cr = (R - Y) / 1.5748, so keeping both while Y changes by d adds d to R, G and B alike.
vec3 with_source_chroma(vec3 source, vec3 styled) {
    return clamp(source + dot(styled - source, LUMA), 0.0, 1.0);
}

vec3 blend() {
    vec3 source = source_color();
    float beside = gl_FragCoord.x - wipe_x;
    vec3 color = source;
    if (wipe_x < 0.0 || beside > 0.0) {
        vec3 styled = styled_color();
        if (keep_colors) styled = with_source_chroma(source, styled);
#ifdef MASKED
        color = mix(source, styled, strength * mix(1.0, mask_strength, inside()));
#else
        color = mix(source, styled, strength);
#endif
    }
    if (wipe_x >= 0.0) {
        // Two device pixels of white between two of shade are seen on snow and at night alike.
        if (abs(beside) < 1.0) color = vec3(1.0);
        else if (abs(beside) < 2.0) color *= 0.4;
    }
    return color;
}
#endif

void main() {
#if defined(SOURCE)
    shown = vec4(source_color(), 1.0);
#elif defined(STYLED)
    shown = vec4(styled_color(), 1.0);
#else
    shown = vec4(blend(), 1.0);
#endif
#ifdef TINTED
    shown.rgb = tinted(shown.rgb);
#endif
}
