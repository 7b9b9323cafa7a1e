import { againInMs } from '../line'
import { asProblem } from '../problem'

import { Serial } from './serial'

/**
 * Does again what was refused for a passing reason, after the wait the server asks for: one after the other, so that
 * three hundred who wait are no flood.
 */
export class Retries<Key> {
  private readonly waiting = new Set<Key>()
  private readonly turns = new Serial()

  constructor(private readonly act: (key: Key) => Promise<void>) {}

  /** False where waiting does not help. */
  after(refusal: unknown, key: Key): boolean {
    const wait = againInMs(asProblem(refusal))
    if (wait === null) return false
    if (this.waiting.has(key)) return true
    this.waiting.add(key)
    void this.turns.run(async () => {
      if (!this.waiting.has(key)) return
      await new Promise((resolve) => setTimeout(resolve, wait))
      if (this.waiting.delete(key)) await this.act(key)
    })
    return true
  }

  clear(): void {
    this.waiting.clear()
  }
}
