import type { Recording } from '@/protocol/http/recordingShapes'

export const percent = (share: number): number => Math.floor(share * 100 + 0.001)

/** A damaged recording holds what could be saved. */
export const watchable = (recording: Recording): boolean =>
  recording.state === 'ready' || (recording.state === 'damaged' && recording.durationSeconds !== null)

/** Whether it still changes by itself. */
export const pending = (recording: Recording): boolean =>
  recording.state === 'capturing' ||
  recording.state === 'composing' ||
  recording.captureStopped ||
  recording.mending
