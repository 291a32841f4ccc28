// The page's requests to the service. Every failure becomes an Error with a readable message.

const KEY = "ppdet-api-key";
const POLL_MS = 500;

/** The request has no API key, or a wrong one. */
export class KeyNeeded extends Error {}

/** Keep the API key until the tab is closed. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

function headers(more) {
  const key = sessionStorage.getItem(KEY);
  return key ? { ...more, "x-api-key": key } : more;
}

async function failure(response) {
  let message = `the service answered with status ${response.status}`;
  try {
    message = (await response.json()).error.message;
  } catch { /* not the service itself, but something in between */ }
  return response.status === 401 ? new KeyNeeded(message) : Object.assign(new Error(message), { status: response.status });
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: headers(options.headers ?? {}) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the service does not answer: is it still running?");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

/** Names and colours of the skeleton, and the limits. */
export async function model() {
  return (await ask("/v1/model")).json();
}

/** People of one encoded image. */
export async function poses(blob, signal) {
  const type = blob.type.startsWith("image/") ? blob.type : "application/octet-stream";
  return (await ask("/v1/poses", { method: "POST", body: blob, headers: { "content-type": type }, signal })).json();
}

/** People of all frames of a video. `onProgress(state, framesDone, framesTotal)` is called on the way. */
export async function video(file, onProgress, signal) {
  const upload = await ask("/v1/videos", {
    method: "POST", body: file, headers: { "content-type": "application/octet-stream" }, signal,
  });
  let job = await upload.json();
  const place = `/v1/videos/${job.id}`;
  try {
    while (job.state === "queued" || job.state === "running") {
      onProgress(job.state, job.frames_done, job.frames_total);
      await new Promise((done) => setTimeout(done, POLL_MS));
      job = await (await ask(place, { signal })).json();
    }
    if (job.error) throw new Error(job.error.message);
    return await (await ask(job.results.json, { signal })).json();
  } finally {
    ask(place, { method: "DELETE" }).catch(() => {}); // the page has the result, or nobody wants it any more
  }
}
