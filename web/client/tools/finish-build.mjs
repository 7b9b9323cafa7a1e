// After `vite build`: precompresses what the server may send as it is, and holds the meeting page to its limit.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** Compressed script a person may have to load before a meeting opens: 300 kB, on a village's 2 Mbit/s line about a second. */
const LIMIT_BYTES = 300_000
const MEETING_PAGE = 'src/views/room/RoomPage.vue'
const FIRST_LOCALE = 'src/locales/zh-CN.ts'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))

/** @typedef {{ file: string, isEntry?: boolean, imports?: string[] }} Chunk */
/** @type {Record<string, Chunk>} */
const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'))

for (const entry of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  const file = join(dist, entry)
  if (!/\.(js|css|svg|html)$/.test(file) || statSync(file).size < 1024) continue
  writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }))
}

/** @param {string} key @param {Set<string>} seen */
function collect(key, seen) {
  const chunk = manifest[key]
  if (!chunk) throw new Error(`${key} is not in the build's manifest`)
  if (seen.has(chunk.file)) return
  seen.add(chunk.file)
  for (const imported of chunk.imports ?? []) collect(imported, seen)
}

/** @type {Set<string>} */
const files = new Set()
collect('index.html', files)
collect(MEETING_PAGE, files)
collect(FIRST_LOCALE, files)
const total = [...files].reduce(
  (sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length,
  0,
)
console.log(
  `Meeting page: ${(total / 1000).toFixed(0)} kB of compressed script in ${files.size} files (limit ${LIMIT_BYTES / 1000} kB)`,
)
if (total > LIMIT_BYTES) process.exit(1)
