// Image sources: files, a processed video, the webcam.

const JPEG_QUALITY = 0.85;
const LONGEST_SIDE = 1280; // of webcam frames that are sent
const RATE_MEMORY = 0.8;
const BUSY_MS = 500;

/** The decoded image of a file, rotated by its EXIF orientation. */
export async function pictureOf(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    return null; // a format that this browser cannot show; the service may still read it
  }
}

/** Frames per second, as a running mean. */
export class Rate {
  constructor() {
    this.seconds = 0;
    this.last = 0;
  }

  step(now = performance.now()) {
    const passed = (now - this.last) / 1000;
    if (this.last) this.seconds = this.seconds ? RATE_MEMORY * this.seconds + (1 - RATE_MEMORY) * passed : passed;
    this.last = now;
  }

  get text() {
    return this.seconds ? `${(1 / this.seconds).toFixed(1)} frames/s` : "";
  }
}

/** The last frame of a result that is not later than `seconds`, or null. */
export function frameAt(frames, seconds, fps) {
  const timeOf = (frame) => (frame.timestamp_ms ?? ((frame.frame - 1) * 1000) / fps) / 1000;
  let low = 0;
  let high = frames.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (timeOf(frames[middle]) <= seconds + 1e-3) low = middle;
    else high = middle - 1;
  }
  return frames[low] ?? null;
}

/** Plays a video with the people of its result; `show(video, frame)` is called for each shown frame. Returns a function to stop. */
export async function playVideo(video, file, result, show) {
  const address = URL.createObjectURL(file);
  video.src = address;
  video.loop = true;
  let stopped = false;
  const next = () => {
    if (stopped) return;
    const again = (_, data) => {
      if (stopped) return;
      show(video, frameAt(result.frames, data?.mediaTime ?? video.currentTime, result.fps));
      next();
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(again);
    else requestAnimationFrame(() => again());
  };
  const stop = () => {
    stopped = true;
    video.pause();
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(address);
  };
  try {
    next();
    await video.play();
  } catch {
    stop();
    throw new Error("this browser cannot play the video (its codec is missing); the JSON can be downloaded all the same");
  }
  return stop;
}

/** The webcam, as a running video. Returns its stream. */
export async function openWebcam(video, facingMode) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("browsers allow the webcam only on https or localhost pages: open this page through one of these");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode }, audio: false });
  } catch (error) {
    const reasons = { NotAllowedError: "the webcam is not allowed: allow it in the browser", NotFoundError: "there is no webcam",
      NotReadableError: "the webcam is used by another program" };
    throw new Error(reasons[error.name] ?? `the webcam does not open: ${error.message}`);
  }
  video.srcObject = stream;
  await video.play();
  return stream;
}

/** Sends frames of a running video one after the other until `signal` is aborted; `show(picture, answer)` gets each. */
export async function watch(video, ask, show, signal) {
  const taken = document.createElement("canvas");
  while (!signal.aborted) {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    taken.width = Math.round(video.videoWidth * scale);
    taken.height = Math.round(video.videoHeight * scale);
    taken.getContext("2d").drawImage(video, 0, 0, taken.width, taken.height);
    const blob = await new Promise((done) => taken.toBlob(done, "image/jpeg", JPEG_QUALITY));
    try {
      const answer = await ask(blob, signal);
      if (!signal.aborted) show(taken, answer);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status !== 429) throw error;
      await new Promise((done) => setTimeout(done, BUSY_MS)); // others come first; frames may be skipped
    }
  }
}
