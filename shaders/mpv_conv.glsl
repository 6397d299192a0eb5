// One convolution of the integer network, its edge repeated, rounded to 0..255 and with ADD added to
// another tensor: net_conv.glsl for mpv, whose passes fill one texture and have constants only.
// Loops have bounds that no compiler knows: unrolled, Mesa compiled for minutes. `frame` is mpv's.
const mat4 weight[TILES * COUNT] = mat4[TILES * COUNT](  // [tile][tap][group], column: channel read
$weights
);
const vec4 bias[TILES] = vec4[TILES](
$bias
);
const vec4 scale[TILES] = vec4[TILES](
$scale
);

#if defined(CANVAS)
vec4 canvas_value(ivec2 pixel, int group) {
    ivec2 at = pixel * CANVAS_BLOCK + ivec2(group % CANVAS_BLOCK, group / CANVAS_BLOCK);
    return whole(texelFetch(stylizer_canvas, at % CANVAS_SIDE, 0));
}
#endif

vec4 value_of(ivec2 pixel, int group) {
#if defined(PICTURE)
#if defined(CANVAS)
    if (group >= BLOCK * BLOCK) return canvas_value(pixel, group - BLOCK * BLOCK);
#endif
    ivec2 at = pixel * BLOCK + ivec2(group % BLOCK, group / BLOCK);
    vec4 color = texelFetch(HOOKED_raw, min(at, frame_size() - 1), 0) * HOOKED_mul;
    return whole(vec4(color.rgb, 1.0));
#else
    return whole(texelFetch(FROM, pixel + tile_at(group, FROM_ACROSS, tile_size(FROM_SHRINK)), 0));
#endif
}

vec4 convolved(ivec2 pixel, int tile) {
    vec4 sum = bias[tile];
    int at = tile * COUNT, none = min(frame, 0);
    ivec2 last = tile_size(FROM_SHRINK) - 1;
    for (int y = 0; y < SIDE + none; ++y) {
        for (int x = 0; x < SIDE + none; ++x) {
            ivec2 from = clamp(pixel * STRIDE + ivec2(x, y) - SIDE / 2, ivec2(0), last);
#if defined(DIAGONAL)
            sum += weight[at++] * value_of(from, tile);
#else
            for (int g = 0; g < GROUPS + none; ++g) sum += weight[at++] * value_of(from, g);
#endif
        }
    }
    return rounded(sum * scale[tile] + ZERO);
}

vec4 hook() {
    ivec2 size = tile_size(SHRINK);
    ivec2 here = ivec2(HOOKED_pos * vec2(size * ivec2(ACROSS, DOWN)));
    int tile = here.y / size.y * ACROSS + here.x / size.x;
    if (tile >= TILES) return vec4(0.0);
    vec4 value = convolved(here % size, tile);
#if defined(ADD)
    value = rounded(value * OWN_RATIO + (whole(texelFetch(OTHER, here, 0)) * OTHER_RATIO + FIXED));
#endif
    return value / 255.0;
}
