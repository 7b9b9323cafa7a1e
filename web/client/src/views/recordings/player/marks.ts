import type { Chapter, Interval, Lack, PreviewStrip } from '@/protocol/http/recordingShapes'

/** Where in the preview the picture of a moment stands, in its pixels. */
export function pictureAt(strip: PreviewStrip, seconds: number): { x: number; y: number } {
  const last = Math.max(0, strip.count - 1)
  const at = Math.min(last, Math.max(0, Math.floor(seconds / strip.intervalSeconds)))
  return { x: (at % strip.columns) * strip.width, y: Math.floor(at / strip.columns) * strip.height }
}

/** The chapter that a moment is in. */
export function chapterAt(chapters: readonly Chapter[], seconds: number): Chapter | null {
  return chapters.filter((chapter) => chapter.startSeconds <= seconds).at(-1) ?? null
}

/** Gaps shorter than this are the edge of a seek, and nobody can find them. */
const WORTH_SHOWING_SECONDS = 1

/** What has not been watched, of disjoint intervals in order. */
export function missing(intervals: readonly Interval[], duration: number): Interval[] {
  const gaps: Interval[] = []
  let at = 0
  for (const [from, to] of [...intervals, [duration, duration] as Interval]) {
    if (from - at >= WORTH_SHOWING_SECONDS) gaps.push([at, from])
    at = Math.max(at, to)
  }
  return gaps
}

/** What the film lacks at a moment; where a whole stretch is not in it, in the second after. */
export function lacking(lacks: readonly Lack[], seconds: number): Lack[] {
  return lacks.filter(({ spans }) =>
    spans.some(([begin, end]) => begin <= seconds && seconds < Math.max(end, begin + 1)),
  )
}
