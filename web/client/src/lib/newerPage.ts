/** The script that a page begins with, as the build writes it; its name is another one for each version. */
const ENTRY = /<script\s[^>]*type="module"[^>]*\ssrc="([^"]+)"/

const entryHere = (): string | null =>
  document.querySelector('script[type="module"][src]')?.getAttribute('src') ?? null

/**
 * Whether the server has at `path` another version of the program than the page that runs, whose parts are then gone.
 * Rejects when the server does not answer, or has no pages.
 */
export async function hasNewerPage(
  path: string,
  here = entryHere(),
  load: typeof fetch = fetch,
): Promise<boolean> {
  const answer = await load(path, { cache: 'no-store' })
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`)
  const there = ENTRY.exec(await answer.text())?.[1]
  return there !== undefined && there !== here
}
