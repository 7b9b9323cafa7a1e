/** Runs what it is given one after the other; a failure of one does not keep the next from running. */
export class Serial {
  private last: Promise<unknown> = Promise.resolve()

  run<Result>(action: () => Promise<Result>): Promise<Result> {
    const turn = this.last.then(action, action)
    this.last = turn.catch(() => undefined)
    return turn
  }
}

/** Does the same for each key by itself; of a key with nothing left to run it keeps nothing. */
export class Serials<Key> {
  private readonly busy = new Map<Key, { serial: Serial; left: number }>()

  /** How many keys have something to run. */
  get size(): number {
    return this.busy.size
  }

  async run<Result>(key: Key, action: () => Promise<Result>): Promise<Result> {
    const queue = this.busy.get(key) ?? { serial: new Serial(), left: 0 }
    this.busy.set(key, queue)
    queue.left += 1
    try {
      return await queue.serial.run(action)
    } finally {
      queue.left -= 1
      if (queue.left === 0) this.busy.delete(key)
    }
  }
}
