"""The command line: `gis-service serve`, `migrate`, `load` and the others."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import OperationalError

from gis_service import counties, site_report
from gis_service.benchmarks import benchmark_names, run_benchmark, write_figures
from gis_service.block_report import cut_blocks, first_cut, show_cut
from gis_service.certificate import certificate_files, fingerprint, make_certificates
from gis_service.checks import checks
from gis_service.database import Database, engine_of, opened, owner_engine
from gis_service.embedded.account import server_account
from gis_service.import_report import import_file, show_import
from gis_service.import_requests import Sending
from gis_service.load_report import show_report
from gis_service.migrations import migrate as migrate_database
from gis_service.server import serve as serve_settings
from gis_service.settings import Settings
from gis_service.sign_in_links import sign_in_links
from gis_service.site_requests import NextSitesAsked, ServicePostsAsked
from gis_service.terminal import (
    complain,
    complaints,
    console,
    progress_bar,
    read_settings,
    ready_database,
    say,
)
from grid_boundaries.errors import Malformed, Refused, Unavailable
from layers.load.run import LoadReport

app = typer.Typer(
    help="网格化管理 GIS · Grid-management GIS",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run a command; what is refused is one sentence in both languages and exit code 1."""
    try:
        app()
    except Refused as refused:
        sys.exit(complain(refused))
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        sys.exit(
            complain(
                Unavailable(
                    "database-unreachable",
                    f"连不上数据库：{reason}",
                    f"The database cannot be reached: {reason}",
                )
            )
        )


def _load_demo(database: Database, settings: Settings) -> None:
    with progress_bar() as progress:
        was_empty = counties.load_demo(database, settings, progress)
    if was_empty:
        say("演示数据已装载", f"The demo {settings.demo_place} is loaded")


@app.command()
def serve(
    demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="Load the demo county and move it.")
    ] = None,
    demo_city: Annotated[
        bool, typer.Option("--demo-city", help="The same with a city of 1.2 million people.")
    ] = False,
    host: str | None = None,
    port: int | None = None,
) -> None:
    """启动服务 · Start database and web server, and print the addresses."""
    place = "city" if demo_city else None
    settings = read_settings(demo=demo_city or demo, demo_place=place, host=host, port=port)

    def prepare(database: Database) -> None:
        if settings.demo:
            _load_demo(database, settings)
        _say_links(database, settings)

    serve_settings(settings, prepare=prepare, say=say)


def _say_links(database: Database, settings: Settings) -> None:
    engine = engine_of(database.url, settings)
    links = sign_in_links(engine, settings)
    engine.dispose()
    for link in links:
        name = escape(f"{link.title_zh} · {link.title_en}")
        console.print(f"  {name}\n    {link.url}", soft_wrap=True)


@app.command()
def migrate() -> None:
    """升级数据库结构 · Bring the database's schema up to date."""
    with opened(read_settings()) as database:
        engine = owner_engine(database)
        changed = migrate_database(engine)
        engine.dispose()
    if changed:
        say("数据库结构已升级", "The schema was brought up to date")
    else:
        say("数据库结构已是最新", "The schema is up to date already")


@app.command()
def demo(
    city: Annotated[
        bool, typer.Option("--city", help="The city of 1.2 million people instead.")
    ] = False,
) -> None:
    """装载演示县 · Load the demo county into an empty database."""
    settings = read_settings(demo_place="city" if city else None)
    with ready_database(settings) as database:
        _load_demo(database, settings)


@app.command()
def load(
    file: Annotated[Path | None, typer.Argument(help="One file, into one --layer.")] = None,
    layer: Annotated[str, typer.Option(help="Layer that the file goes into.")] = "",
    mapping: Annotated[Path | None, typer.Option(help="Its columns, a TOML file.")] = None,
    dataset: Annotated[str, typer.Option(help="Description of a dataset, a TOML file.")] = "",
    folder: Annotated[Path | None, typer.Option("--from", help="Where its files are.")] = None,
) -> None:
    """装载数据 · Load a whole dataset, or a file into a layer, and report every row."""
    if not (dataset and folder) and not (file and layer):
        raise Malformed(
            "nothing-to-load",
            "请给出 --dataset 和 --from，或者一个文件和 --layer",
            "Give --dataset and --from, or a file and --layer",
        )
    settings = read_settings()
    with ready_database(settings) as database, progress_bar() as progress:
        if file and layer:
            frames = counties.load_file(database, settings, file, layer, mapping)
        else:
            frames = counties.load_dataset(database, settings, dataset, folder or Path(), progress)
    show_report(console, LoadReport(dict(frames)))


@app.command("import-boundaries")
def import_boundaries(
    file: Annotated[Path, typer.Argument(help="GeoJSON, GeoPackage or zipped Shapefile.")],
    accept: Annotated[bool, typer.Option("--accept", help="Make a draft plan of it.")] = False,
    unit: Annotated[str, typer.Option(help="Unit that it divides; the county by default.")] = "",
    crs: Annotated[str, typer.Option(help="EPSG:n, GCJ-02 or BD-09, if you know better.")] = "",
) -> None:
    """导入网格边界 · Report on a layer of boundaries, and repair it as a draft plan."""
    settings = read_settings()
    asked = Sending(name=file.name[:200], unit=unit or None, crs=crs)
    with ready_database(settings) as database:
        told, done = import_file(database, settings, file, asked, accept=accept)
    show_import(console, told, done)


@app.command("cut-blocks")
def cut_first_blocks(
    most_people: Annotated[
        float | None, typer.Option("--most-people", help="People that a block holds at most.")
    ] = None,
    unit: Annotated[str, typer.Option(help="Unit to be cut; the county by default.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Look only, change nothing.")] = False,
) -> None:
    """切分图斑 · Cut the first blocks along streets, waters, limits, and between homes."""
    settings = read_settings()
    asked = first_cut(unit=unit or None, most_people=most_people, preview=preview)
    with ready_database(settings) as database, progress_bar() as progress:
        told = cut_blocks(database, settings, asked, progress)
    show_cut(console, told)


@app.command("next-sites")
def next_sites(
    unit: Annotated[str | None, typer.Option(help="Unit or grid; the county by default.")] = None,
    sites: Annotated[int | None, typer.Option(help="How many cameras.")] = None,
    budget_yuan: Annotated[
        float | None, typer.Option("--budget", help="What there is to spend, yuan.")
    ] = None,
    each_yuan: Annotated[float | None, typer.Option("--each", help="What one costs.")] = None,
    share: Annotated[float | None, typer.Option(help="As few as bring this into sight.")] = None,
    at: Annotated[
        list[str] | None, typer.Option(help="poles, facades, junctions; may be repeated.")
    ] = None,
    weigh: Annotated[str, typer.Option(help="people, key_places or ground.")] = "people",
    range_m: Annotated[
        float | None, typer.Option("--range", help="How far a camera sees, m.")
    ] = None,
    angle_deg: Annotated[
        float | None, typer.Option("--angle", help="How wide it sees, degrees.")
    ] = None,
    per_post: Annotated[int | None, typer.Option(help="Cameras on a post at most.")] = None,
    within_s: Annotated[float, typer.Option("--within", help="Seconds it may take.")] = 10.0,
    form: Annotated[
        site_report.Form, typer.Option("--format", help="table, json or geojson.")
    ] = "table",
) -> None:
    """选点 · Say where the next cameras go, and how far from the best that is at most."""
    asked = site_report.asked_by(
        NextSitesAsked, unit=unit, sites=sites, budget_yuan=budget_yuan, each_yuan=each_yuan,
        target_share=share, at=at or None, weigh=weigh, range_m=range_m,
        field_of_view_deg=angle_deg, per_post=per_post, within_s=within_s,
    )  # fmt: skip
    settings = read_settings()
    with ready_database(settings) as database, progress_bar(complaints) as progress:
        found = site_report.found_sites(database, settings, asked, progress)
    if form == "table":
        site_report.show_sites(console, found)
    else:
        typer.echo(site_report.written(found, "sites", form))


@app.command()
def posts(
    goal: Annotated[str, typer.Argument(help="nearest, worst or all.")],
    unit: Annotated[str | None, typer.Option(help="Unit or grid; the county by default.")] = None,
    sites: Annotated[int | None, typer.Option(help="How many posts.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="On foot at most, for the goal all.")
    ] = None,
    existing: Annotated[
        list[str] | None, typer.Option(help="Kinds that serve already; may be repeated.")
    ] = None,
    within_s: Annotated[float, typer.Option("--within", help="Seconds it may take.")] = 10.0,
    form: Annotated[
        site_report.Form, typer.Option("--format", help="table, json or geojson.")
    ] = "table",
) -> None:
    """服务点 · Say where police rooms, AEDs or other posts go, by walking time."""
    asked = site_report.asked_by(
        ServicePostsAsked, unit=unit, goal=goal, sites=sites, limit_minutes=minutes,
        existing=existing or None, within_s=within_s,
    )  # fmt: skip
    settings = read_settings()
    with ready_database(settings) as database, progress_bar(complaints) as progress:
        found = site_report.found_posts(database, settings, asked, progress)
    if form == "table":
        site_report.show_posts(console, found)
    else:
        typer.echo(site_report.written(found, "posts", form))


@app.command()
def refresh(
    names: Annotated[list[str] | None, typer.Argument(help="Jobs; all by default.")] = None,
) -> None:
    """重算派生图层 · Compute derived layers anew."""
    settings = read_settings()
    with ready_database(settings) as database:
        done = counties.refresh(database, settings, frozenset(names) if names else None)
    say(f"已重算 {len(done)} 项", f"computed {', '.join(done) or 'nothing'}")


@app.command()
def check() -> None:
    """检查数据库 · Look at versions, checksums and the row-level wall; change nothing."""
    settings = read_settings()
    with opened(settings) as database:
        engine = engine_of(database.url, settings)
        found = checks(engine)
        engine.dispose()
    table = Table("", "check", "found")
    for one in found:
        table.add_row("[green]✓[/]" if one.ok else "[red]✗[/]", one.name, escape(one.says))
    console.print(table)
    if not all(one.ok for one in found):
        raise typer.Exit(1)


@app.command()
def certificate(
    hosts: Annotated[list[str], typer.Argument(help="Names and addresses of this server.")],
    folder: Annotated[Path | None, typer.Option(help="Where the PEM files go.")] = None,
) -> None:
    """签发证书 · Make the county's authority and a server certificate signed by it."""
    settings = read_settings()
    where = folder or settings.data_dir / "tls"
    account = server_account(settings.account)
    account.make_folder(where)
    made = make_certificates(where, hosts, now=datetime.now(UTC))
    account.owns(made.server_key, 0o600)  # the service reads it after leaving root
    say(f"服务器证书 {made.server}", f"server certificate {made.server}")
    console.print(f"  GIS_TLS_CERT={made.server}\n  GIS_TLS_KEY={made.server_key}", soft_wrap=True)
    _say_how_to_trust(certificate_files(where).authority)


def _say_how_to_trust(authority: Path) -> None:
    say(
        f"手机信任方法：把 {authority} 传到手机并安装；先核对指纹",
        f"How a phone trusts it: send it {authority} and install that; compare the fingerprint",
    )
    console.print(f"  SHA-256 {fingerprint(authority)}", soft_wrap=True)
    console.print("  Android: 设置 → 安全 → 加密与凭据 → 安装证书 → CA 证书")
    console.print("  iOS: 设置 → 已下载描述文件 → 安装；再到 通用 → 关于本机 → 证书信任设置 打开")
    console.print("  Windows/Linux: import it into the browser's trusted root authorities")


@app.command()
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Modules in bench/; all by default.")
    ] = None,
) -> None:
    """性能测试 · Run benchmarks of this checkout and write docs/benchmarks.md."""
    folder = Path.cwd()
    measured = {}
    for name in names or benchmark_names(folder):
        with console.status(name):
            measured[name] = run_benchmark(folder, name)
        shown = Table(name, "")
        for what, figure in measured[name].items():
            shown.add_row(escape(what), escape(str(figure)))
        console.print(shown)
    say("结果已写入", f"written to {write_figures(folder, measured)}")
