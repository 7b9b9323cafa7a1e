import { NETWORK_UNREACHABLE, Problem, problemFrom, TIMED_OUT, UNEXPECTED_ANSWER } from '../problem'

export type Query = Record<string, string | number | boolean | null | undefined>

export interface RequestOptions {
  query?: Query
  body?: unknown
  signal?: AbortSignal
  /** Lets the request outlive the page: for the last report of a player. The body must stay below 64 kB. */
  keepalive?: boolean
  /** A piece of a file instead of JSON; it may take longer than an answer. */
  bytes?: Blob
  headers?: Record<string, string>
  /** Says who asks where no cookie does: a resident's ticket token. */
  token?: string
}

export interface Page<T> {
  items: T[]
  nextCursor: string | null
}

/** A poor line needs many seconds for an answer; a person gives up later than this. */
const TIMEOUT_MS = 20_000
const BYTES_TIMEOUT_MS = 180_000

/** Knows HTTP and the shape of errors, nothing of what is asked. */
export class HttpClient {
  /** Called when the server no longer knows this session, wherever in the program that shows. */
  onSignedOut: () => void = () => undefined
  /** How far the server's clock is ahead of this device's, in milliseconds; nobody has set every device right. */
  private ahead = 0

  constructor(
    private readonly base = '/api',
    private readonly fetchFunction: typeof fetch = (...args) => fetch(...args),
  ) {}

  /** The time by the server's clock, to the second. */
  now(): number {
    return Date.now() + this.ahead
  }

  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return this.request<T>('GET', path, signal ? { query, signal } : { query })
  }

  post<T>(path: string, body: unknown = {}, options: RequestOptions = {}): Promise<T> {
    return this.request<T>('POST', path, { ...options, body })
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>('PUT', path, { body })
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>('PATCH', path, { body })
  }

  delete<T>(path: string): Promise<T> {
    return this.request<T>('DELETE', path)
  }

  async request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.send(method, path, options)
    const sent = Date.parse(response.headers.get('date') ?? '')
    if (sent) this.ahead = sent - Date.now()
    if (response.status === 204) return undefined as T
    const body: unknown = await response.json().catch(() => undefined)
    if (response.ok && body !== undefined) return body as T
    if (response.ok) throw new Problem(UNEXPECTED_ANSWER, '', {}, response.status)
    const problem = problemFrom(body, response.status)
    if (problem.code === 'not_signed_in' || (response.status === 401 && path !== '/session'))
      this.onSignedOut()
    throw problem
  }

  private async send(method: string, path: string, options: RequestOptions): Promise<Response> {
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(TIMED_OUT), options.bytes ? BYTES_TIMEOUT_MS : TIMEOUT_MS)
    const stop = (): void => abort.abort()
    options.signal?.addEventListener('abort', stop)
    try {
      return await this.fetchFunction(
        this.base + path + queryString(options.query),
        init(method, options, abort.signal),
      )
    } catch (error) {
      if (options.signal?.aborted) throw error
      throw new Problem(
        abort.signal.reason === TIMED_OUT ? TIMED_OUT : NETWORK_UNREACHABLE,
        error instanceof Error ? error.message : '',
      )
    } finally {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', stop) // a film is a thousand chunks, with one way to stop them all
    }
  }
}

function init(method: string, options: RequestOptions, signal: AbortSignal): RequestInit {
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers }
  const result: RequestInit = { method, signal, headers, credentials: 'same-origin' }
  if (options.keepalive) result.keepalive = true
  if (options.token) headers.Authorization = `Bearer ${options.token}`
  if (options.bytes) {
    headers['Content-Type'] = 'application/octet-stream'
    return { ...result, body: options.bytes }
  }
  if (options.body === undefined) return result
  headers['Content-Type'] = 'application/json'
  return { ...result, body: JSON.stringify(options.body) }
}

function queryString(query: Query = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return text && `?${text}`
}
