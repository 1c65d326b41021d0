
// pictures of any size, brought to that of training as Python does it: what Pillow's bilinear filter gives, to one level of 255

/** Canvas bytes, four a pixel → `channels` a pixel: laid on white where transparent; grey by ITU-R 601. */
function plainPixels(rgba, channels) {
  if (channels === 4) return Uint8Array.from(rgba);
  const plain = new Uint8Array((rgba.length / 4) * channels);
  const onWhite = (value, alpha) => (alpha === 255 ? value : Math.round((value * alpha + 255 * (255 - alpha)) / 255));
  for (let i = 0, to = 0; i < rgba.length; i += 4) {
    const red = onWhite(rgba[i], rgba[i + 3]), green = onWhite(rgba[i + 1], rgba[i + 3]), blue = onWhite(rgba[i + 2], rgba[i + 3]);
    if (channels === 1) plain[to++] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
    else (plain[to++] = red), (plain[to++] = green), (plain[to++] = blue);
  }
  return plain;
}

function halfToEven(value) {
  const whole = Math.floor(value);
  return value - whole === 0.5 ? whole + Math.abs(whole % 2) : Math.round(value);
}

/** Which part of a picture is shown (left, top, right, bottom), how large, and where its corner is in the result. */
function placed([h, w], [height, width], policy) {
  if (policy === "pad") {
    const scale = Math.min(height / h, width / w);
    const shown = [[h, height], [w, width]].map(([side, most]) => Math.min(most, Math.max(1, halfToEven(side * scale))));
    return { box: [0, 0, w, h], shown, corner: [Math.floor((height - shown[0]) / 2), Math.floor((width - shown[1]) / 2)] };
  }
  if (policy !== "crop") return { box: [0, 0, w, h], shown: [height, width], corner: [0, 0] };
  const scale = Math.max(height / h, width / w);
  const [partH, partW] = [Math.min(h, height / scale), Math.min(w, width / scale)];
  const [left, top] = [(w - partW) / 2, (h - partH) / 2];
  return { box: [left, top, Math.min(left + partW, w), Math.min(top + partH, h)], shown: [height, width], corner: [0, 0] };
}

/** A picture { pixels, size: [h, w], channels } → the pixels of one of another size, by one of the policies of training. */
function fitted(picture, size, policy) {
  const { box, shown, corner } = placed(picture.size, size, policy);
  const { pixels } = resized(picture, shown, box);
  const { channels } = picture, result = new Uint8Array(size[0] * size[1] * channels);
  for (let y = 0; y < shown[0]; y++) {
    const row = pixels.subarray(y * shown[1] * channels, (y + 1) * shown[1] * channels);
    result.set(row, ((corner[0] + y) * size[1] + corner[1]) * channels);
  }
  return result;
}

/** Pillow's `resize(…, BILINEAR, box, reducing_gap=2)`: whole blocks are averaged first, then what remains is filtered. */
function resized(picture, [height, width], [left, top, right, bottom]) {
  const [h, w] = picture.size;
  if (h === height && w === width && !left && !top && right === w && bottom === h) return picture;
  const fx = Math.trunc((right - left) / width / 2) || 1, fy = Math.trunc((bottom - top) / height / 2) || 1;
  if (fx > 1 || fy > 1) {
    const [aroundX, aroundY] = [(right - left) / width / 2, (bottom - top) / height / 2];
    const [x0, y0] = [Math.max(0, Math.trunc(left - aroundX)), Math.max(0, Math.trunc(top - aroundY))];
    const [x1, y1] = [Math.min(w, Math.ceil(right + aroundX)), Math.min(h, Math.ceil(bottom + aroundY))];
    picture = reduced(picture, [x0, y0, x1, y1], fx, fy);
    [left, top, right, bottom] = [(left - x0) / fx, (top - y0) / fy, (right - x0) / fx, (bottom - y0) / fy];
  }
  const [x0, y0, x1, y1] = [left, top, right, bottom].map(Math.fround);
  if (picture.size[1] !== width || x0 || x1 !== width) picture = filtered(picture, 1, width, x0, x1);
  if (picture.size[0] !== height || y0 || y1 !== height) picture = filtered(picture, 0, height, y0, y1);
  return picture;
}

/** The mean of each block of fx × fy pixels within a box; those at its end may be smaller. */
function reduced({ pixels, size, channels }, [x0, y0, x1, y1], fx, fy) {
  const height = Math.ceil((y1 - y0) / fy), width = Math.ceil((x1 - x0) / fx);
  const means = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const top = y0 + y * fy, bottom = Math.min(y1, top + fy);
    for (let x = 0; x < width; x++) {
      const left = x0 + x * fx, right = Math.min(x1, left + fx);
      const n = (bottom - top) * (right - left), share = Math.floor(Math.fround(2 ** 24 / n));
      for (let c = 0; c < channels; c++) {
        let sum = n >> 1;
        for (let v = top; v < bottom; v++) {
          const end = (v * size[1] + right) * channels;
          for (let at = (v * size[1] + left) * channels + c; at < end; at += channels) sum += pixels[at];
        }
        means[(y * width + x) * channels + c] = Math.floor((sum * share) / 2 ** 24);
      }
    }
  }
  return { pixels: means, size: [height, width], channels };
}

/** One axis (0 height, 1 width) between two places brought to n pixels by a triangle, in Pillow's fixed point of 22 bits. */
function filtered({ pixels, size, channels }, axis, n, start, end) {
  const from = size[axis], scale = Math.fround(end - start) / n, support = Math.max(1, scale);
  const [height, width] = axis ? [size[0], n] : [n, size[1]];
  const result = new Uint8Array(height * width * channels);
  const step = axis ? channels : size[1] * channels; // from a pixel to its neighbour along the axis
  for (let i = 0; i < n; i++) {
    const center = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5)), last = Math.min(from, Math.trunc(center + support + 0.5));
    const weights = Array.from({ length: last - first }, (_, k) => Math.max(0, 1 - Math.abs((k + first - center + 0.5) * (1 / support))));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const fixed = weights.map((weight) => Math.trunc(0.5 + (weight / total) * 2 ** 22));
    for (let j = 0; j < (axis ? height : width); j++) {
      for (let c = 0; c < channels; c++) {
        const begin = (axis ? j * size[1] + first : first * size[1] + j) * channels + c;
        let sum = 2 ** 21;
        for (let k = 0; k < fixed.length; k++) sum += pixels[begin + k * step] * fixed[k];
        result[(axis ? j * width + i : i * width + j) * channels + c] = Math.min(255, Math.floor(sum / 2 ** 22));
      }
    }
  }
  return { pixels: result, size: [height, width], channels };
}
