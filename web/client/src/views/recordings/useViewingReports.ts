import { onScopeDispose, ref, type Ref } from 'vue'

import { WatchTracker } from '@/lib/watched'
import type { Coverage, Interval } from '@/protocol/http/shapes'
import { asProblem } from '@/protocol/problem'
import { Serial } from '@/protocol/rooms/serial'
import { useApi } from '@/services'

const REPORT_MS = 10_000
/** The recording is not what it was, or not for this viewer any more: no better line helps. */
const REFUSED = [404, 409]

export interface ViewingReports {
  /** The last report did not arrive; nothing is lost yet. */
  failing: Ref<boolean>
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
  id: string,
  version: () => number,
  covered: (coverage: Coverage) => void,
  refused: () => void,
): ViewingReports {
  const api = useApi()
  let tracker = new WatchTracker()
  let watched = version()
  const failing = ref(false)
  let rate = 1

  async function report(ended = false, keepalive = false): Promise<void> {
    const from = tracker
    const intervals: Interval[] = from.take()
    if (!intervals.length && !ended) return
    try {
      covered(await api.reportViewing(id, { intervals, rate, ended, version: watched }, keepalive))
      failing.value = false
    } catch (error) {
      const { code, status } = asProblem(error)
      if (REFUSED.includes(status)) refused()
      if (code === 'recording_renewed') return
      from.giveBack(intervals)
      failing.value = !REFUSED.includes(status)
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
      tracker.advance(at, nextRate, performance.now() / 1000)
    },
  }
}
