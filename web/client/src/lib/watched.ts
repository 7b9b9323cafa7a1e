import type { Interval } from '@/protocol/http/recordingShapes'

/** Clocks and positions are read a little apart; a step longer than the time it took by more than this is a jump. */
const SLACK_SECONDS = 0.5

export const lengthOf = (intervals: readonly Interval[]): number =>
  intervals.reduce((sum, [from, to]) => sum + to - from, 0)

/** Follows a player's position and collects what was really watched since it was last reported. */
export class WatchTracker {
  private pending: Interval[] = []
  private current: Interval | null = null
  private lastNow = 0

  /** How much of the film was played and not taken yet; what was played twice counts twice. */
  get seconds(): number {
    return lengthOf(this.current ? [...this.pending, this.current] : this.pending)
  }

  /** The position while it plays, at `rate` times the normal speed; `now` is a clock in seconds. */
  advance(at: number, rate: number, now: number): void {
    const step = this.current ? at - this.current[1] : Infinity
    const most = (now - this.lastNow) * rate + SLACK_SECONDS // a busy machine tells positions seldom, and plays on
    this.lastNow = now
    if (this.current && step >= 0 && step <= most) this.current[1] = at
    else {
      this.stop()
      this.current = [at, at]
    }
  }

  /** Paused, sought or ended: the next position begins a new interval. */
  stop(): void {
    if (this.current && this.current[1] > this.current[0]) this.pending.push(this.current)
    this.current = null
  }

  /** What is to be reported now, as it was played: the end of the last is where the viewer is, and goes on some day. */
  take(): Interval[] {
    const position = this.current?.[1]
    this.stop()
    if (position !== undefined) this.current = [position, position]
    const taken: Interval[] = []
    for (const [from, to] of this.pending) {
      const last = taken.at(-1)
      if (last?.[1] === from) last[1] = to
      else taken.push([from, to])
    }
    this.pending = []
    return taken
  }

  /** A report did not arrive: it goes with the next. */
  giveBack(intervals: Interval[]): void {
    this.pending = [...intervals, ...this.pending]
  }
}
