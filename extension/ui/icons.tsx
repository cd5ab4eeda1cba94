/** Line icons of 20×20, drawn for this project. They only decorate: buttons carry the name. */
import type { ComponentChildren } from 'preact';

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const SlidersIcon = () => (
  <Icon>
    <path d="M3 6h7M14 6h3M3 14h3M10 14h7" />
    <circle cx="12" cy="6" r="2" />
    <circle cx="8" cy="14" r="2" />
  </Icon>
);

export const TrashIcon = () => (
  <Icon>
    <path d="M3.5 5.5h13M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 9v4.5M11.5 9v4.5" />
  </Icon>
);

export const SendIcon = () => (
  <Icon>
    <path d="M10 16V4.5M5 9.5l5-5 5 5" />
  </Icon>
);

export const StopIcon = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="9" height="9" rx="1.5" fill="currentColor" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="7" y="7" width="9.5" height="9.5" rx="2" />
    <path d="M13 4.5A1.5 1.5 0 0 0 11.5 3.5H5A1.5 1.5 0 0 0 3.5 5v6.5A1.5 1.5 0 0 0 4.5 13" />
  </Icon>
);

export const PanelIcon = () => (
  <Icon>
    <rect x="3" y="4" width="14" height="12" rx="2" />
    <path d="M12 4v12" />
  </Icon>
);

export const InfoIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="7" />
    <path d="M10 9.5v4M10 6.5v.01" />
  </Icon>
);

export const ReceiveIcon = () => (
  <Icon>
    <path d="M10 4v11.5M5 10.5l5 5 5-5" />
  </Icon>
);

export const BackIcon = () => (
  <Icon>
    <path d="M12 4.5L6.5 10l5.5 5.5" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="M4.5 10.5l3.5 3.5 7.5-8" />
  </Icon>
);

export const ShieldIcon = () => (
  <Icon>
    <path d="M10 2.5l6 2.200v4.600c0 4-2.600 6.700-6 8.200-3.400-1.5-6-4.200-6-8.200V4.700zM7.300 10l2 2 3.5-3.900" />
  </Icon>
);

export const RewardIcon = () => (
  <Icon>
    <path d="M10 3l1.800 5.200L17 10l-5.200 1.800L10 17l-1.800-5.200L3 10l5.200-1.800z" />
  </Icon>
);

export const ReturnIcon = () => (
  <Icon>
    <path d="M7 4L3.5 7.5 7 11M3.5 7.5H12a4.200 4.200 0 0 1 0 8.400H8" />
  </Icon>
);

export const DownloadIcon = () => (
  <Icon>
    <path d="M10 3.5v9M6 9l4 4 4-4M4 16.5h12" />
  </Icon>
);

/** The mark of icons/icon.svg. */
export function Logo({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 128 128" aria-hidden="true">
      <rect width="128" height="128" rx="30" fill="#0f5f55" />
      <g fill="#ffffff" fill-opacity="0.42">
        <circle cx="64" cy="47" r="27" />
        <circle cx="46" cy="78" r="27" />
        <circle cx="82" cy="78" r="27" />
      </g>
      <circle cx="64" cy="68" r="11.5" fill="#ffe08a" />
    </svg>
  );
}
