/** Runs what it is given one after the other; a failure of one does not keep the next from running. */
export class Serial {
  private last: Promise<unknown> = Promise.resolve()

  run<Result>(action: () => Promise<Result>): Promise<Result> {
    const turn = this.last.then(action, action)
    this.last = turn.catch(() => undefined)
    return turn
  }
}
