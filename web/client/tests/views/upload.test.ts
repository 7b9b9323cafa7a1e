import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { Api } from '@/protocol/http/api'
import { HttpClient } from '@/protocol/http/client'
import { useUpload } from '@/views/recordings/useUpload'

const MEBIBYTE = 1024 * 1024
const FILM = new File([new Uint8Array(2.5 * MEBIBYTE)], '党课.mp4')
const CHOSEN = { file: FILM, fingerprint: 'ab12' }
const BEGUN = {
  id: 'film',
  title: '党课',
  sizeBytes: FILM.size,
  offset: 0,
  chunkBytes: 4 * MEBIBYTE,
  expiresAt: '2026-11-30T08:00:00Z',
  fingerprint: 'ab12',
  recordingId: null,
}

type Trouble = [status: number, body: string]

const saying = (status: number, code: string, details = {}): Trouble => [
  status,
  JSON.stringify({ error: { code, message: '', details } }),
]

/** A server that takes chunks, but first answers each of `troubles`; status 0 is a line that breaks. */
function uploadingTo(...troubles: Trouble[]) {
  const offsets: number[] = []
  const api = new Api(
    new HttpClient('https://huitang.example/api', async (input, init) => {
      const request = new Request(input, init)
      const offset = Number(request.headers.get('Upload-Offset'))
      offsets.push(offset)
      expect(request.headers.get('Upload-Fingerprint')).toBe(CHOSEN.fingerprint)
      const trouble = troubles.shift()
      if (trouble?.[0] === 0) throw new TypeError('Failed to fetch')
      if (trouble) return new Response(trouble[1], { status: trouble[0] })
      const end = offset + (await request.arrayBuffer()).byteLength
      return Response.json({ ...BEGUN, offset: end, recordingId: end === FILM.size ? 'film' : null })
    }),
  )
  return { offsets, ...useUpload(api) }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test.each<[string, Trouble]>([
  ['the line breaks', [0, '']],
  ['a proxy finds no server', [502, '<html>Bad Gateway</html>']],
  ['a proxy finds it too slow', [504, '']],
  ['a proxy waits no longer', [408, '<html>Request Timeout</html>']],
  ['the server waits no longer', saying(408, 'request_timeout')],
  ['too much was asked', saying(429, 'rate_limited', { retryAfter: 20 })],
  ['the disk hangs', saying(503, 'store_unavailable')],
  ['the database is busy', saying(503, 'database_busy')],
  ['a chunk is damaged on its way', saying(409, 'upload_checksum')],
  ['the chunk of a moment ago is still being written', saying(409, 'upload_offset', { offset: 0 })],
  ['the server makes a mistake', saying(500, 'internal_error')],
])('goes on by itself where %s', async (_story, trouble) => {
  const { run, waiting, problem, offsets } = uploadingTo(trouble)
  const ended = run(CHOSEN, BEGUN)
  await vi.waitFor(() => expect(waiting.value).toBe(true))
  await vi.advanceTimersByTimeAsync(20_000)
  expect(await ended).toBe('film')
  expect(offsets).toEqual([0, 0, MEBIBYTE, 2 * MEBIBYTE])
  expect([waiting.value, problem.value]).toEqual([false, undefined])
})

test('waits for as long as the server asks for', async () => {
  const { run, waiting, offsets } = uploadingTo(saying(429, 'rate_limited', { retryAfter: 20 }))
  const ended = run(CHOSEN, BEGUN)
  await vi.waitFor(() => expect(waiting.value).toBe(true))
  await vi.advanceTimersByTimeAsync(19_000)
  expect(offsets).toEqual([0])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await ended).toBe('film')
})

test.each<Trouble>([
  saying(503, 'storage_full'),
  saying(422, 'upload_not_a_film'),
  saying(404, 'upload_not_found'),
  saying(409, 'upload_other_file'),
  saying(403, 'not_allowed'),
  saying(401, 'not_signed_in'),
  [413, '<html>Request Entity Too Large</html>'],
])('tells of what no waiting mends: %s %s', async (...trouble) => {
  const { run, waiting, problem, offsets } = uploadingTo(trouble)
  expect(await run(CHOSEN, BEGUN)).toBeUndefined()
  expect(problem.value).toMatchObject({ status: trouble[0] })
  expect([waiting.value, offsets]).toEqual([false, [0]])
})

test('tells of a mistake of the server that stays', async () => {
  const { run, problem, offsets } = uploadingTo(
    ...Array.from({ length: 9 }, () => saying(500, 'internal_error')),
  )
  const ended = run(CHOSEN, BEGUN)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(await ended).toBeUndefined()
  expect(problem.value).toMatchObject({ code: 'internal_error' })
  expect(offsets).toHaveLength(6)
})

test('goes on where the server says that the file ends', async () => {
  const { run, offsets } = uploadingTo(saying(409, 'upload_offset', { offset: MEBIBYTE }))
  expect(await run(CHOSEN, BEGUN)).toBe('film')
  expect(offsets).toEqual([0, MEBIBYTE, 2 * MEBIBYTE])
})

test('ends at once where it is stopped while it waits', async () => {
  const { run, stop, waiting, problem, offsets } = uploadingTo([502, ''])
  const ended = run(CHOSEN, BEGUN)
  await vi.waitFor(() => expect(waiting.value).toBe(true))
  stop()
  expect(await ended).toBeUndefined()
  expect([problem.value, offsets]).toEqual([undefined, [0]])
})

test('a file that cannot be read any more is no broken line', async () => {
  const { run, problem, offsets } = uploadingTo()
  const moved = new File([new Uint8Array(MEBIBYTE)], '党课.mp4')
  moved.slice = () => Object.assign(new Blob(), { arrayBuffer: () => Promise.reject(new Error('NotFound')) })
  expect(await run({ ...CHOSEN, file: moved }, BEGUN)).toBeUndefined()
  expect(problem.value).toMatchObject({ code: 'upload_file_unreadable' })
  expect(offsets).toEqual([])
})
