import { onScopeDispose, ref, type Ref } from 'vue'

import { lengthOf, WatchTracker } from '@/lib/watched'
import type { Api } from '@/protocol/http/api'
import type { Coverage, Interval } from '@/protocol/http/recordingShapes'
import { asProblem } from '@/protocol/problem'
import { Serial } from '@/protocol/rooms/serial'

const REPORT_MS = 10_000
/** The recording is not what it was, or not for this viewer any more: no better line helps. */
const REFUSED = [404, 409]

/** However long no report came through, the server counts two minutes with the next, so that no page left open counts. */
const MOST_UNSAVED_SECONDS = 100

export interface ViewingReports {
  /** The last report did not arrive; nothing is lost yet. */
  failing: Ref<boolean>
  /** So much was watched since that more of it would not count. */
  full: Ref<boolean>
  advance: (at: number, rate: number) => void
  stop: () => void
  pause: () => void
  ended: () => void
  /** The page goes away: the last words, which may outlive it. */
  last: () => void
}

/**
 * Tells the server what was really watched: every ten seconds, at each pause, at the end. What was not told of a film
 * before it was made anew says nothing about the new one, and is forgotten. `refused`: there is nothing to report about.
 */
export function useViewingReports(
  api: Api,
  id: string,
  version: () => number,
  covered: (coverage: Coverage) => void,
  refused: () => void,
): ViewingReports {
  let tracker = new WatchTracker()
  let watched = version()
  const failing = ref(false)
  const full = ref(false)
  let rate = 1
  let fastest = 1 // of what was not told yet: the server grants no more than was played at this pace
  let told = 0 // seconds on their way

  async function report(ended = false, keepalive = false): Promise<void> {
    const from = tracker
    const intervals: Interval[] = from.take()
    if (!intervals.length && !ended) return
    told = lengthOf(intervals)
    const pace = fastest
    fastest = rate
    try {
      covered(await api.reportViewing(id, { intervals, rate: pace, ended, version: watched }, keepalive))
      failing.value = full.value = false
    } catch (error) {
      const { code, status } = asProblem(error)
      if (REFUSED.includes(status)) refused()
      if (code === 'recording_renewed') {
        failing.value = full.value = false
        return
      }
      from.giveBack(intervals)
      fastest = Math.max(fastest, pace)
      failing.value = !REFUSED.includes(status)
    } finally {
      told = 0
    }
  }

  /** One after the other: an older answer must not hide a newer one. */
  const queue = new Serial()

  function finish(ended: boolean): void {
    tracker.stop()
    void queue.run(() => report(ended))
  }

  const timer = setInterval(() => void queue.run(() => report()), REPORT_MS)
  onScopeDispose(() => clearInterval(timer))

  return {
    failing,
    full,
    stop: () => tracker.stop(),
    pause: () => finish(false),
    ended: () => finish(true),
    last(): void {
      tracker.stop()
      void report(false, true)
    },
    advance(at, nextRate): void {
      if (version() !== watched) {
        watched = version()
        tracker = new WatchTracker()
      }
      rate = nextRate
      fastest = Math.max(fastest, rate)
      tracker.advance(at, nextRate, performance.now() / 1000)
      if (failing.value && (told + tracker.seconds) / rate >= MOST_UNSAVED_SECONDS) full.value = true
    },
  }
}
