import { expect, test } from 'vitest'

import { pagesOf } from '@/lib/pagesOf'

/** Seven items, three a page; the cursor is how many came before. */
function page(cursor = '0'): Promise<{ items: number[]; nextCursor: string | null; from: string }> {
  const first = Number(cursor)
  const items = [1, 2, 3, 4, 5, 6, 7].slice(first, first + 3)
  return Promise.resolve({ items, nextCursor: first + 3 < 7 ? String(first + 3) : null, from: cursor })
}

const ROWS: [number, number[], string | null, string][] = [
  [1, [1, 2, 3], '3', '0'],
  [2, [1, 2, 3, 4, 5, 6], '6', '3'],
  [3, [1, 2, 3, 4, 5, 6, 7], null, '6'],
  [9, [1, 2, 3, 4, 5, 6, 7], null, '6'],
]
test.each(ROWS)('%s pages', async (count, items, nextCursor, from) => {
  expect(await pagesOf(page, count)).toEqual({ items, nextCursor, from })
})
