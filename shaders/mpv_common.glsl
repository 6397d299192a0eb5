// What all passes of an exported network share; see stylizer/style/export/mpv.py.
//
// A tensor lies in one texture, a tile for every group of four channels that it holds, `across`
// tiles in a row; value n of 0..255 is stored as n / 255, which half floats and bytes both hold.
ivec2 frame_size() {
    return ivec2(HOOKED_size + 0.5);
}

// Of one tile: the frame padded to whole blocks, so many times smaller.
ivec2 tile_size(int shrink) {
    return (frame_size() + MULTIPLE - 1) / MULTIPLE * (MULTIPLE / BLOCK / shrink);
}

ivec2 tile_at(int tile, int across, ivec2 size) {
    return ivec2(tile % across, tile / across) * size;
}

vec4 whole(vec4 stored) {
    return round(clamp(stored, 0.0, 1.0) * 255.0);
}

vec4 rounded(vec4 value) {
    return clamp(roundEven(value), 0.0, 255.0);
}
