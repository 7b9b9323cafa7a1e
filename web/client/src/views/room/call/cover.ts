/** What a look at one picture finds. */
export interface Look {
  /** The server says that the line does not bear it. It may say so late: its word waits where the line was cut. */
  starved: boolean
  /** Frames have come since the last look. */
  moved: boolean
}

/** A picture that stands for less long is left standing. */
const LACKING_MS = 1000
/**
 * What comes back is shown once it has run for so long, which is longer than the server leaves it to the main picture in any
 * case; twice as long each time when that was too soon.
 */
const STEADY_MS = 5000
const STEADY_MOST_MS = 40_000
/** Not too soon was what has then been seen for so long. */
const PROVEN_MS = 30_000
/** Of a picture for which there is room and which does not come all the same the line's width is not the reason. */
const AWAITED_MS = 8000

/**
 * Whether a portrait stands in for a picture that the line does not bear. On a line that just bears it now and then it stays:
 * a picture that comes and goes every few seconds is worse to look at than none. Goes by what is seen more than by what is said.
 */
export class Cover {
  private covered = false
  /** Since when it should be otherwise. */
  private sinceMs: number | null = null
  /** Since when a picture is promised that does not come. */
  private promisedMs: number | null = null
  private uncoveredMs = -Infinity
  private steadyMs = STEADY_MS

  look({ starved, moved }: Look, now: number): boolean {
    this.promisedMs = starved || moved ? null : (this.promisedMs ?? now)
    const against = this.covered ? moved : starved && !moved
    this.sinceMs = against ? (this.sinceMs ?? now) : null
    if (this.lasts(this.sinceMs, this.covered ? this.steadyMs : LACKING_MS, now)) this.turn(now)
    else if (this.covered && this.lasts(this.promisedMs, AWAITED_MS, now)) this.turn(now)
    return this.covered
  }

  /** Nobody looks. */
  rest(): boolean {
    this.sinceMs = this.promisedMs = null
    return this.covered
  }

  private lasts(since: number | null, milliseconds: number, now: number): boolean {
    return since !== null && now - since >= milliseconds
  }

  private turn(now: number): void {
    if (this.covered) this.uncoveredMs = now
    else if (now - this.uncoveredMs >= PROVEN_MS) this.steadyMs = STEADY_MS
    else this.steadyMs = Math.min(2 * this.steadyMs, STEADY_MOST_MS)
    this.covered = !this.covered
    this.rest()
  }
}
