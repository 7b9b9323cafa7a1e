import type { Socket } from 'socket.io-client'

import { Problem, problemFrom, TIMED_OUT, UNEXPECTED_ANSWER } from './problem'

/** As long as an HTTP call may take; a lost connection answers sooner. */
const ACKNOWLEDGE_MS = 15_000

/** Sends one event and waits for `{ok, data}`; a refusal, a silence or nonsense is thrown as a Problem. */
export async function ask<Data>(
  socket: Socket,
  event: string,
  payload: unknown,
  milliseconds = ACKNOWLEDGE_MS,
): Promise<Data> {
  let answer: unknown
  try {
    answer = await socket.timeout(milliseconds).emitWithAck(event, payload)
  } catch {
    throw new Problem(TIMED_OUT, '')
  }
  if (typeof answer === 'object' && answer !== null && 'ok' in answer) {
    if (answer.ok === true && 'data' in answer) return answer.data as Data
    throw problemFrom(answer)
  }
  throw new Problem(UNEXPECTED_ANSWER, '')
}
