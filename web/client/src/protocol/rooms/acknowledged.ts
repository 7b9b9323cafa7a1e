/** A value the server is asked to have, as it last acknowledged it; undefined where that is not known. */
export class Acknowledged<Value> {
  constructor(public value?: Value) {}

  /** Asks for `value` unless the server has it. Without an answer nobody knows whether it was heard. */
  async settle(value: Value, ask: () => Promise<unknown>): Promise<void> {
    if (this.value === value) return
    this.value = undefined
    await ask()
    this.value = value
  }
}
