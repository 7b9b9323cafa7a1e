/** What an organization's place in a list follows from. */
interface Placed {
  id: string
  parentId: string | null
  name: string
}

/** An ideographic space a level: an option's text keeps it, and shows what stands below what. */
const STEP = '\u3000'

/** Organizations as choices of a list, each below the one it belongs to and further in, by name. */
export function treeChoices(all: readonly Placed[], locale: string): { value: string; text: string }[] {
  const { compare } = new Intl.Collator(locale, { numeric: true })
  const known = new Set(all.map(({ id }) => id))
  const below = new Map<string | null, Placed[]>()
  for (const one of all) {
    const parent = one.parentId !== null && known.has(one.parentId) ? one.parentId : null
    below.set(parent, [...(below.get(parent) ?? []), one])
  }
  const lines = (parent: string | null, depth: number): { value: string; text: string }[] =>
    [...(below.get(parent) ?? [])]
      .sort((a, b) => compare(a.name, b.name))
      .flatMap(({ id, name }) => [{ value: id, text: STEP.repeat(depth) + name }, ...lines(id, depth + 1)])
  return lines(null, 0)
}
