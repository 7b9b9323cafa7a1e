/** Details that come with a refusal: for `invalid_request` a text per field, for `rate_limited` the seconds to wait. */
export type ProblemDetails = Record<string, unknown>

/**
 * A request that was refused or did not arrive. `code` is stable and chooses the text people read
 * (locales/<locale>/errors.json); `message` is the server's own text, for a code this client does not know.
 */
export class Problem extends Error {
  override readonly name = 'Problem'

  constructor(
    readonly code: string,
    message = '',
    readonly details: ProblemDetails = {},
    readonly status = 0,
  ) {
    super(message || code)
  }
}

/** The codes this client gives to what goes wrong before a server can answer. */
export const NETWORK_UNREACHABLE = 'network_unreachable'
export const TIMED_OUT = 'timed_out'
export const UNEXPECTED_ANSWER = 'unexpected_answer'

interface ErrorBody {
  code: string
  message?: unknown
  details?: unknown
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isErrorBody = (value: unknown): value is ErrorBody => isRecord(value) && typeof value.code === 'string'

/** Reads `{"error": {code, message, details}}`, the shape that HTTP answers and acknowledgements share. */
export function problemFrom(body: unknown, status = 0): Problem {
  const error = isRecord(body) ? body.error : undefined
  if (!isErrorBody(error)) return new Problem(UNEXPECTED_ANSWER, '', {}, status)
  const message = typeof error.message === 'string' ? error.message : ''
  return new Problem(error.code, message, isRecord(error.details) ? error.details : {}, status)
}

/** Whatever was thrown, as a Problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem(UNEXPECTED_ANSWER, error instanceof Error ? error.message : String(error))
}
