"""From two weight files to a video with skeletons, in one call; what ``make demo`` runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Optional

import cv2

from ppdet.core.config.load import load_config
from ppdet.core.errors import MediaError
from ppdet.core.logger import get_logger
from ppdet.core.paddle_process import remove_paddle_log_handler
from ppdet.engine.export.exporter import export
from ppdet.image import write_image
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.video.process import process_video
from ppdet.inference.video.reader import VideoReader
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.frame_tiles import contact_sheet
from ppdet.visualize.mannequin import walking_clip

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
DETECTOR = CONFIGS / "picodet/application/pedestrian_detection/picodet_s_320_lcnet_pedestrian.yml"
KEYPOINT = CONFIGS / "keypoint/tiny_pose/tinypose_256x192.yml"
RENDERED_FPS = 25.0
SHEET_FRAMES = 8

_log = get_logger(__name__)


def run_demo(weights: str, output_dir: str, video_file: Optional[str] = None) -> list[Path]:
    """Export detector and pose model, run both on a video, and write video, JSON and a contact sheet.

    Args:
        weights: folder or URL that holds ``picodet_s_320_lcnet_pedestrian.pdparams`` and ``tinypose_256x192.pdparams``.
        output_dir: where everything goes; models exported there before, from whatever weights, are taken as they are.
        video_file: the video; without it a person is rendered, since no real video may be shipped.

    Returns:
        The files written.

    Raises:
        PpdetError: weights that cannot be had, a video that cannot be read, a folder that cannot be written.
    """
    remove_paddle_log_handler()
    start = time.perf_counter()
    folder = Path(output_dir)
    source = Path(video_file) if video_file else render_clip(folder / "rendered_person.mp4")
    VideoReader(source).close()  # a bad video is said before minutes of export
    detector, keypoint = (_exported(config, weights, folder / "models") for config in (DETECTOR, KEYPOINT))
    pipeline = PosePipeline(detector, keypoint)
    video = folder / f"{source.stem}_poses.mp4"
    report = process_video(pipeline, source, video, folder / f"{source.stem}_poses.json", json_layout="named")
    sheet = video_sheet(video, folder / f"{source.stem}_poses.png")
    _log.info("%d frames, %d people found", report.frames, report.people)
    written = [*report.written, sheet]
    _log.info("%.0f s in all; look at:\n  %s", time.perf_counter() - start, "\n  ".join(map(str, written)))
    return written


def render_clip(path: Path) -> Path:
    """Write the clip of the rendered walking person."""
    frames = [frame for frame, _ in walking_clip()]
    writer = VideoWriter(path, RENDERED_FPS, (frames[0].shape[1], frames[0].shape[0]))
    for frame in frames:
        writer.write(frame)
    _log.info("no video given: rendered a walking person, %s", path)
    return writer.finish()


def video_sheet(video: Path, path: Path) -> Path:
    """Write a picture of frames spread evenly over a video.

    Raises:
        MediaError: not one frame can be read.
    """
    capture = cv2.VideoCapture(str(video))
    frames = []
    while True:
        got, frame = capture.read()
        if not got:
            break
        frames.append(frame)
    capture.release()
    if not frames:
        raise MediaError(f"no frame of {video} can be read back; is the disk full?")
    step = max(len(frames) // SHEET_FRAMES, 1)
    chosen = list(range(0, len(frames), step))[:SHEET_FRAMES]
    sheet = contact_sheet([frames[i] for i in chosen], labels=[f"frame {i}" for i in chosen])
    return write_image(path, cv2.cvtColor(sheet, cv2.COLOR_BGR2RGB))


def _exported(config: Path, weights: str, folder: Path) -> Path:
    done = folder / config.stem
    if (done / "infer_cfg.yml").is_file():
        _log.info("%s is there already", done)
        return done
    file = f"{weights.rstrip('/')}/{config.stem}.pdparams"
    return export(load_config(str(config), [f"weights={file}"]), folder, onnx=True)
