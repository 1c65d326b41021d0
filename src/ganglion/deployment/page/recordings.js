
// recordings: a file, or the microphone, as samples at the rate of training

/** A file of sound → { samples, rate, short }: WAV by what is written in it, other kinds as the browser decodes them. */
async function heard(blob) {
  const bytes = await blob.arrayBuffer();
  const wav = wavOf(new DataView(bytes));
  if (wav) return wav;
  const decoder = new OfflineAudioContext(1, 1, rateOf(new DataView(bytes))); // which gives sound at its own rate
  const sound = await decoder.decodeAudioData(bytes);
  const channels = Array.from({ length: sound.numberOfChannels }, (_, c) => sound.getChannelData(c));
  return { samples: mixed(channels), rate: sound.sampleRate, short: true };
}

/** The rate that a FLAC or Ogg Vorbis file names; that of most others where it names none. */
function rateOf(data) {
  const head = String.fromCharCode(...new Uint8Array(data.buffer, 0, Math.min(64, data.byteLength)));
  const rate = head.startsWith("fLaC") ? data.getUint32(18) >>> 12 : head.indexOf("vorbis") > 0 ? data.getUint32(head.indexOf("vorbis") + 11, true) : 0;
  return rate >= 3000 && rate <= 384000 ? rate : head.includes("OpusHead") ? 48000 : 44100;
}

const READS = {
  "1 8": (data, at) => (data.getUint8(at) - 128) / 128,
  "1 16": (data, at) => data.getInt16(at, true) / 32768,
  "1 24": (data, at) => ((data.getUint8(at + 2) << 24) | (data.getUint8(at + 1) << 16) | (data.getUint8(at) << 8)) / 2 ** 31,
  "1 32": (data, at) => data.getInt32(at, true) / 2 ** 31,
  "3 32": (data, at) => data.getFloat32(at, true),
  "3 64": (data, at) => data.getFloat64(at, true),
};

/** The sound of a WAV file: whole numbers of 8 to 32 bits, or fractions; null if it is none such. */
function wavOf(data) {
  const named = (at) => (at + 4 <= data.byteLength ? String.fromCharCode(...[0, 1, 2, 3].map((i) => data.getUint8(at + i))) : "");
  if (named(0) !== "RIFF" || named(8) !== "WAVE") return null;
  let form = null;
  for (let at = 12; at + 8 <= data.byteLength; ) {
    const length = data.getUint32(at + 4, true), start = at + 8;
    if (named(at) === "fmt ") {
      const tag = data.getUint16(start, true); // 0xfffe: the kind stands further down
      form = { kind: tag === 0xfffe ? data.getUint16(start + 24, true) : tag, channels: data.getUint16(start + 2, true), rate: data.getUint32(start + 4, true), bits: data.getUint16(start + 14, true) };
    }
    if (named(at) === "data") {
      const read = form && READS[`${form.kind} ${form.bits}`];
      if (!read) return null;
      const size = form.bits / 8, n = Math.floor(Math.min(length, data.byteLength - start) / size / form.channels);
      const channels = Array.from({ length: form.channels }, (_, c) => Float32Array.from({ length: n }, (_, i) => read(data, start + (i * form.channels + c) * size)));
      return { samples: mixed(channels), rate: form.rate, short: form.kind === 1 && form.bits <= 16 };
    }
    at = start + length + (length % 2);
  }
  return null;
}

const mixed = (channels) =>
  channels.length === 1 ? channels[0] : channels[0].map((_, i) => channels.reduce((sum, each) => sum + each[i], 0) / channels.length);

/** Samples at another rate: those of 16 bits stay such, as in Python. */
function brought({ samples, rate, short }, wanted) {
  const all = resampledTo(samples, rate, wanted);
  return short ? all.map((value) => Math.min(32767, Math.max(-32768, halfToEven(value * 32768))) / 32768) : all;
}

/** scipy's `resample_poly`: a windowed sinc (Kaiser, 5) of 10 periods of the lower rate to each side. */
function resampledTo(samples, given, wanted) {
  if (given === wanted) return samples;
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  const up = wanted / gcd(given, wanted), down = given / gcd(given, wanted);
  const period = Math.max(up, down), half = 10 * period;
  const bessel = (x) => {
    let sum = 1;
    for (let k = 1, term = 1; term > 1e-17 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
    return sum;
  };
  const weights = Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const x = (i - half) / period;
    return (x ? Math.sin(Math.PI * x) / (Math.PI * x) : 1) * bessel(5 * Math.sqrt(1 - ((i - half) / half) ** 2));
  });
  const scale = up / weights.reduce((sum, weight) => sum + weight, 0);
  return Float32Array.from({ length: Math.ceil((samples.length * up) / down) }, (_, m) => {
    const middle = m * down + half; // where this sample lies between those given, `up` places apart
    let sum = 0;
    const last = Math.min(samples.length - 1, Math.floor(middle / up));
    for (let n = Math.max(0, Math.ceil((middle - 2 * half) / up)); n <= last; n++) sum += samples[n] * weights[middle - n * up];
    return sum * scale;
  });
}

/** Begin to record; gives the function that ends it and returns { samples, rate, short }. */
async function listening() {
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
  const context = new AudioContext(), parts = [];
  // deprecated, yet what should take its place loads a module, which no browser allows a page that is a file
  const listener = context.createScriptProcessor(4096, 1, 1);
  listener.onaudioprocess = ({ inputBuffer }) => parts.push(inputBuffer.getChannelData(0).slice());
  context.createMediaStreamSource(stream).connect(listener).connect(context.destination);
  return async () => {
    stream.getTracks().forEach((track) => track.stop());
    await context.close();
    return { samples: Float32Array.from(parts.flatMap((part) => Array.from(part))), rate: context.sampleRate, short: true };
  };
}

/** The part of the form for a recording; gives the function that returns its samples. */
function recorder(input) {
  let samples = null, stop = null;
  const file = element("input", { type: "file", accept: "audio/*,.wav", id: "field-0", "aria-describedby": "field-0-hint" });
  const button = element("button", { type: "button", id: "record" }, "Record");
  const told = element("p", { class: "soft", role: "status", id: "recorded" });
  const box = element("fieldset", { class: "field wide" }, element("legend", {}, "recording"),
    element("label", { for: "field-0" }, "A file of sound"), file,
    element("small", { id: "field-0-hint" }, `WAV, or what else this browser plays, or dropped here. The model hears ${input.rate.toLocaleString("en")} samples a second; others are brought to that, channels are mixed.`),
    element("div", { class: "either" }, element("span", {}, "Or by the microphone:"), button), told);
  $("fields").append(box);
  const take = (sound, name) => {
    samples = brought(sound, input.rate);
    const seconds = (sound.samples.length / sound.rate).toFixed(2);
    told.textContent = samples.length ? `${name}: ${seconds} s, ${sound.rate.toLocaleString("en")} samples a second.` : name === "Recorded" ? "Nothing was recorded." : `${name} holds no sound.`;
  };
  const read = async (blob) => {
    complain(null);
    try {
      take(await heard(blob), blob.name ?? "The file");
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      samples = null;
      complain(new Unsuited("field-0", `${blob.name ?? "This"} is no sound that can be read. Give a WAV file.`));
    }
  };
  file.onchange = () => file.files.length && read(file.files[0]);
  dropped(box, read);
  button.onclick = async () => {
    complain(null);
    if (stop) {
      const end = stop;
      stop = null;
      button.textContent = "Record";
      return take(await end(), "Recorded");
    }
    try {
      stop = await listening();
      button.textContent = "Stop";
      told.textContent = "Recording …";
    } catch (error) {
      if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
      complain(new Unsuited("record", `The microphone cannot be used (${error.message}). Allow it, or give a file.`));
    }
  };
  $("form").addEventListener("reset", () => {
    samples = null;
    told.textContent = "";
  });
  return () => {
    if (stop) throw new Unsuited("record", "The recording has not been stopped.");
    if (!samples?.length) throw new Unsuited("field-0", "There is nothing to hear: give a file, or record.");
    return samples;
  };
}
