//!MAGPIE EFFECT
//!VERSION 4
//!USE MulAdd
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
int2 TileSize(int shrink)
{
    return int2((GetInputSize() + $multiple - 1) / $multiple * ($multiple / $block) / shrink);
}

$passes
