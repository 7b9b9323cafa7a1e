import type { Page } from '@/protocol/http/client'

/** The first `count` pages of a long list as one, with what else the last of them says; a reload asks for all anew. */
export async function pagesOf<Item, Answer extends Page<Item>>(
  ask: (cursor?: string) => Promise<Answer & Page<Item>>,
  count: number,
): Promise<Answer> {
  let page = await ask()
  const items = [...page.items]
  for (let turn = 1; turn < count && page.nextCursor; turn += 1) {
    page = await ask(page.nextCursor)
    items.push(...page.items)
  }
  return { ...page, items }
}
