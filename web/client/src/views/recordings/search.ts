import type { LocationQuery } from 'vue-router'

import { instantIn } from '@/lib/time'
import type { RecordingsQuery } from '@/protocol/http/api'

const FIELDS = ['query', 'organizationId', 'kind', 'memberId', 'from', 'to'] as const
const DAYS = ['from', 'to'] as const
const DAY_MS = 86_400_000

/** What somebody looks for in the library, as the form and the page's address have it; days as `2026-11-23`. */
export type Search = Record<(typeof FIELDS)[number], string>

const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`))

/** Total: an address may be typed by hand. */
export function searchFrom(address: LocationQuery): Search {
  const text = (name: string): string => {
    const value = address[name]
    return typeof value === 'string' ? value.trim() : ''
  }
  const search = Object.fromEntries(FIELDS.map((name) => [name, text(name)])) as Search
  for (const name of DAYS) if (!isDay(search[name])) search[name] = ''
  return search
}

/** The page's address, so that going back and sending a link show the same. */
export const addressOf = (search: Search): Record<string, string> =>
  Object.fromEntries(FIELDS.map((name) => [name, search[name].trim()]).filter(([, value]) => value))

/** What the server is asked; `zone` is the viewer's, whose days they are. */
export function wantedOf({ from, to, ...rest }: Search, zone: string): RecordingsQuery {
  const startOf = (day: string): Date => instantIn(zone, day, '00:00')
  const nextDay = (day: string): string =>
    new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10)
  return {
    ...rest,
    ...(from && { from: startOf(from).toISOString() }),
    ...(to && { to: startOf(nextDay(to)).toISOString() }),
  }
}
