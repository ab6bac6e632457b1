/** The leaf on jade. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" style={{ flex: 'none' }}>
      <rect width="32" height="32" rx="8" fill="#0b6e60" />
      <path
        d="M9 23c0-8 5-13 14-14 0 9-4 14-11 14-1.200 0-2.200-.3-3-.8M9 23c2-4 5-7 9-9"
        fill="none"
        stroke="#fff"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
