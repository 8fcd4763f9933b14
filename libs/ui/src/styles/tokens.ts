/** Colours, type and space. Text keeps 4.5:1 and control borders 3:1 on every surface, in both schemes (WCAG 1.4.3, 1.4.11). */
export const tokens = `
:root {
  color-scheme: light dark;
  --ground: #eef2ee;
  --surface: #ffffff;
  --raised: #f6f8f5;
  --ink: #10201a;
  --muted: #50615a;
  --line: #d6ded8;
  --control: #74857d;
  --accent: #0b5a45;
  --accent-strong: #073f30;
  --on-accent: #ffffff;
  --accent-soft: #e0f0e8;
  --amber: #854800;
  --amber-soft: #fcecd4;
  --danger: #ab231b;
  --danger-strong: #871810;
  --on-danger: #ffffff;
  --danger-soft: #fce9e7;
  --info: #14566b;
  --info-soft: #e0f0f5;
  --shadow: 0 1px 2px rgb(16 32 26 / 6%), 0 18px 48px -20px rgb(16 32 26 / 22%);
  --slip-shadow: drop-shadow(0 1px 1px rgb(16 32 26 / 8%)) drop-shadow(0 16px 28px rgb(16 32 26 / 10%));
  --h0: #0b5a45; --h1: #7a3b12; --h2: #1d4f8c; --h3: #8a2450; --h4: #54457f; --h5: #40601a;
  --radius: 1.25rem;
  --radius-control: .75rem;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", "Roboto Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0a100d;
    --surface: #131b17;
    --raised: #1a2520;
    --ink: #e7efeb;
    --muted: #a1b2aa;
    --line: #2a3932;
    --control: #73877e;
    --accent: #74dfb7;
    --accent-strong: #a2efd2;
    --on-accent: #04251a;
    --accent-soft: #143328;
    --amber: #f4c078;
    --amber-soft: #35270f;
    --danger: #ffa096;
    --danger-strong: #ffc1ba;
    --on-danger: #3a0a06;
    --danger-soft: #3b1916;
    --info: #8bd1e8;
    --info-soft: #10303b;
    --shadow: 0 0 0 1px #2a3932, 0 24px 60px -24px rgb(0 0 0 / 80%);
    --slip-shadow: drop-shadow(0 0 .75px #46594f) drop-shadow(0 20px 30px rgb(0 0 0 / 40%));
    --h0: #1a6b54; --h1: #87481d; --h2: #2b5d9b; --h3: #96335e; --h4: #63538f; --h5: #4b6d22;
  }
}
`
