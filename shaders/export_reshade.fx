// A network's single-frame form for ReShade; see stylizer/style/export/reshade.py.
//
// Value n of 0..255 lies as n / 255 in textures of bytes; groups of four channels lie in tiles side
// by side. A pass fills one tile of all its targets.
#define STYLIZER_COLUMNS ((BUFFER_WIDTH + $multiple - 1) / $multiple * ($multiple / $block))
#define STYLIZER_ROWS ((BUFFER_HEIGHT + $multiple - 1) / $multiple * ($multiple / $block))

namespace Stylizer_$name
{
texture Frame : COLOR;
sampler FrameAt { Texture = Frame; MinFilter = POINT; MagFilter = POINT; MipFilter = POINT; };
$textures

$common
float4 MulAdd(float4 x, float4x4 y, float4 a)
{
    return mul(x, y) + a;
}

int2 TileSize(int shrink)
{
    return int2(STYLIZER_COLUMNS, STYLIZER_ROWS) / shrink;
}

// Where a texel of a tile lies in its texture.
float4 Place(int2 at, int tile, int tiles, int shrink)
{
    float2 size = float2(TileSize(shrink));
    float2 texel = float2(at) + float2(tile * size.x, 0.0) + 0.5;
    return float4(texel / float2(size.x * tiles, size.y), 0.0, 0.0);
}

// Beyond its edges the frame's last pixels, and the canvas again.
float4 Picture(int2 at)
{
    float2 place = (float2(at) + 0.5) / float2(BUFFER_WIDTH, BUFFER_HEIGHT);
    return Whole(float4(tex2Dlod(FrameAt, float4(place, 0, 0)).rgb, 1.0));
}
$canvas
// One tile as a strip of two triangles; place: 0..1 over the tile.
void Corner(uint id, float tile, float tiles, out float4 position, out float2 place)
{
    place = float2(id % 2, id / 2);
    position = float4((place.x + tile) / tiles * 2.0 - 1.0, 1.0 - place.y * 2.0, 0.0, 1.0);
}
$corners
$passes
technique Style_$name < ui_label = "$label"; >
{
$technique
}
}
