// Draws people on a canvas, and finds the keypoint below the pointer.

const NEAR_PIXELS = 14; // of the screen

/** The canvas with what is shown on it: an image or a frame, and its people. */
export class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.skeleton = null;
    this.picture = null; // anything that drawImage takes
    this.people = [];
    this.threshold = 0.5;
    this.pointed = null;
  }

  /** Names, links and colours, as /v1/model gives them. */
  setSkeleton({ keypoints, keypoint_colors: colors, links, link_colors: linkColors }) {
    this.skeleton = { names: keypoints, colors, links, linkColors };
  }

  /** Show an image of width x height pixels with its people. */
  show(picture, width, height, people) {
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.picture = picture;
    this.people = people;
    this.paint();
  }

  /** Clear image and people. */
  clear() {
    this.picture = null;
    this.people = [];
    this.pointed = null;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** Draw everything again, after a change of the threshold for example. */
  paint() {
    const { context, canvas } = this;
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (this.picture) context.drawImage(this.picture, 0, 0, canvas.width, canvas.height);
    if (!this.skeleton) return;
    // The centre of the top-left pixel is (0, 0) for the service and (.5, .5) for a canvas.
    context.save();
    context.translate(0.5, 0.5);
    context.lineCap = "round";
    for (const person of this.people) this.paintPerson(person);
    context.restore();
  }

  paintPerson(person) {
    const { context, skeleton } = this;
    const [left, top, right, bottom] = person.box;
    const size = Math.max(right - left, bottom - top, 1);
    const width = Math.max(1.5, Math.min(size / 90, 10));
    context.lineWidth = Math.max(1, width / 2);
    context.strokeStyle = "#ffffffb0";
    context.strokeRect(left, top, right - left, bottom - top);
    context.lineWidth = width;
    skeleton.links.forEach(([from, to], index) => {
      const start = person.keypoints[from];
      const end = person.keypoints[to];
      if (!this.isShown(start) || !this.isShown(end)) return;
      context.strokeStyle = skeleton.linkColors[index];
      context.beginPath();
      context.moveTo(start[0], start[1]);
      context.lineTo(end[0], end[1]);
      context.stroke();
    });
    skeleton.names.forEach((name, index) => {
      const point = person.keypoints[name];
      if (!this.isShown(point)) return;
      const isPointed = this.pointed && this.pointed.point === point;
      context.fillStyle = skeleton.colors[index];
      context.strokeStyle = isPointed ? "#ffffff" : "#181818";
      context.lineWidth = isPointed ? width : Math.max(1, width / 3);
      context.beginPath();
      context.arc(point[0], point[1], width * (isPointed ? 1.6 : 1), 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    });
  }

  isShown(point) {
    return point && point[2] >= this.threshold;
  }

  /** The shown keypoint nearest to a place of the screen, or null: {name, point, person, x, y}, x and y in screen pixels. */
  pointAt(clientX, clientY) {
    const frame = this.canvas.getBoundingClientRect();
    const scale = frame.width / this.canvas.width || 1;
    let best = null;
    let least = NEAR_PIXELS;
    this.people.forEach((person, number) => {
      for (const [name, point] of Object.entries(person.keypoints)) {
        if (!this.isShown(point)) continue;
        const x = frame.left + (point[0] + 0.5) * scale;
        const y = frame.top + (point[1] + 0.5) * scale;
        const distance = Math.hypot(x - clientX, y - clientY);
        if (distance < least) {
          least = distance;
          best = { name, point, person: person.id ?? number + 1, x, y };
        }
      }
    });
    return best;
  }

  /** Highlight a keypoint of `pointAt`, or none. */
  highlight(found) {
    if (this.pointed?.point === found?.point) return;
    this.pointed = found;
    this.paint();
  }
}
