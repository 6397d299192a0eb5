// What the passes of an exported network share, in ReShade FX as in Magpie's HLSL.
float4 Whole(float4 stored)
{
    return round(saturate(stored) * 255.0);
}

float4 Rounded(float4 value)
{
    return clamp(round(value), 0.0, 255.0);
}
