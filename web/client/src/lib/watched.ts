import type { Interval } from '@/protocol/http/shapes'

/** Clocks and positions are read a little apart; a step longer than the time it took by more than this is a jump. */
const SLACK_SECONDS = 0.5

/** The union of intervals, in order. */
export function union(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = []
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else result.push([from, to])
  }
  return result
}

export const lengthOf = (intervals: readonly Interval[]): number =>
  union(intervals).reduce((sum, [from, to]) => sum + to - from, 0)

/** Follows a player's position and collects what was really watched since it was last reported. */
export class WatchTracker {
  private pending: Interval[] = []
  private current: Interval | null = null
  private lastNow = 0

  /** How much of the film was played and not taken yet; what was played twice counts twice. */
  get seconds(): number {
    const intervals = this.current ? [...this.pending, this.current] : this.pending
    return intervals.reduce((sum, [from, to]) => sum + to - from, 0)
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

  /** What is to be reported now; watching goes on where it is. */
  take(): Interval[] {
    const position = this.current?.[1]
    this.stop()
    if (position !== undefined) this.current = [position, position]
    const taken = union(this.pending)
    this.pending = []
    return taken
  }

  /** A report did not arrive: it goes with the next. */
  giveBack(intervals: Interval[]): void {
    this.pending = [...intervals, ...this.pending]
  }
}
