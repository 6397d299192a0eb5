//!MAGPIE EFFECT
//!VERSION 4
// A network's single-frame form for Magpie; see stylizer/style/export/magpie.py.
//
// Value n of 0..255 lies as n / 255 in textures of bytes, one for each group of four channels.

//!TEXTURE
Texture2D INPUT;

//!TEXTURE
//!WIDTH INPUT_WIDTH
//!HEIGHT INPUT_HEIGHT
Texture2D OUTPUT;

$textures
//!COMMON
#define Picture(at) Whole(float4(INPUT[uint2(min(at, int2(GetInputSize()) - 1))].rgb, 1.0))
$canvas
$common
// By mad, not mul: faster by far, says https://github.com/Blinue/Magpie/pull/1049.
float4 MulAdd(float4 x, float4x4 y, float4 a)
{
    return mad(x.xxxx, y[0], mad(x.yyyy, y[1], mad(x.zzzz, y[2], mad(x.wwww, y[3], a))));
}

int2 TileSize(int shrink)
{
    return int2((GetInputSize() + $multiple - 1) / $multiple * ($multiple / $block) / shrink);
}

$passes
