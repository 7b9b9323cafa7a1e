import { beforeEach, expect, test, vi } from 'vitest'

import { filmFile } from '@/views/recordings/filmFile'

const MEBIBYTE = 1024 * 1024
const SIZE = 12 * MEBIBYTE

/** As large as every other, with a byte of its own at this place. */
function piece(at?: number, lastModified = 1): File {
  const bytes = new Uint8Array(SIZE)
  if (at !== undefined) bytes[at] = 1
  return new File([bytes], '00001.MTS', { lastModified })
}

const known = async (file: File): Promise<string> => (await filmFile(file)).fingerprint

beforeEach(() => {
  vi.stubGlobal('isSecureContext', true)
  return () => vi.unstubAllGlobals()
})

test('tells films of the same size and name apart by what is in them', async () => {
  const places = [undefined, 0, 5 * MEBIBYTE, SIZE - 1]
  const fingerprints = await Promise.all(places.map((at) => known(piece(at))))
  expect(new Set(fingerprints).size).toBe(places.length)
  for (const fingerprint of fingerprints) expect(fingerprint).toMatch(/^[0-9a-f]{64}$/)
})

test('knows a film again whatever it is called by now, however short it is', async () => {
  expect(await known(piece(0, 2))).toBe(await known(piece(0, 1)))
  const [one, same, other] = ['x', 'x', 'y'].map((text, number) => new File([text], `${number}`))
  if (!one || !same || !other) throw new Error('three')
  expect(await known(one)).toBe(await known(same))
  expect(await known(one)).not.toBe(await known(other))
})

test('goes without TLS by when it was written', async () => {
  vi.stubGlobal('isSecureContext', false)
  expect(await known(piece(0, 1))).toBe(await known(piece(5, 1)))
  expect(await known(piece(0, 1))).not.toBe(await known(piece(0, 2)))
})

test('tells of a file that cannot be read any more', async () => {
  const moved = piece()
  vi.spyOn(Blob.prototype, 'arrayBuffer').mockRejectedValue(new DOMException('', 'NotFoundError'))
  await expect(filmFile(moved)).rejects.toMatchObject({ code: 'upload_file_unreadable' })
})
