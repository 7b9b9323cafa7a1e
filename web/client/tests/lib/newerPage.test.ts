import { describe, expect, it } from 'vitest'

import { hasNewerPage } from '@/lib/newerPage'

const answering =
  (text: string, status = 200) =>
  (): Promise<Response> =>
    Promise.resolve(new Response(text, { status }))
const page = (entry: string): string =>
  `<!doctype html><head><link rel="modulepreload" href="/assets/other.js"><script type="module" crossorigin src="${entry}"></script></head>`

describe('whether the server has a newer page', () => {
  it.each([
    ['/assets/index-a.js', '/assets/index-a.js', false],
    ['/assets/index-a.js', '/assets/index-b.js', true],
  ])('%s here and %s there', async (here, there, newer) => {
    expect(await hasNewerPage('/card', here, answering(page(there)))).toBe(newer)
  })

  it('takes what is no page of ours for none', async () => {
    expect(await hasNewerPage('/card', '/assets/index-a.js', answering('<p>portal</p>'))).toBe(false)
  })

  it('rejects when nobody answers, or there are no pages', async () => {
    await expect(hasNewerPage('/card', '/assets/index-a.js', answering('', 503))).rejects.toThrow('503')
    await expect(hasNewerPage('/card', '/a.js', () => Promise.reject(new TypeError('away')))).rejects.toThrow(
      'away',
    )
  })
})
