//! The drawings of the page.

use plotters::prelude::*;

use crate::Outcome;

const SIZE: (u32, u32) = (860, 480);
const OURS: RGBColor = RGBColor(0, 110, 180);
const OTHERS: RGBColor = RGBColor(150, 90, 20);
const CALM: RGBColor = RGBColor(90, 140, 90);

/// A way to do it.
pub(crate) struct Point {
    pub(crate) name: &'static str,
    /// Rows a second.
    pub(crate) x: f64,
    /// The application's p99, in milliseconds.
    pub(crate) y: f64,
    pub(crate) ours: bool,
}

/// Speed against what the application feels, both on logarithmic axes.
pub(crate) fn scatter(points: &[Point], baseline: f64) -> Outcome<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let xs = 1_000.0..1_000_000.0;
        let top = points.iter().map(|point| point.y).fold(baseline, f64::max) * 4.0;
        let mut chart = ChartBuilder::on(&area)
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .caption("The application beside a backfill", ("sans-serif", 18))
            .build_cartesian_2d(xs.clone().log_scale(), (baseline / 3.0..top).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("rows a second of the backfill")
            .y_desc("p99 of the application, ms")
            .light_line_style(WHITE)
            .draw()?;
        for (bound, name) in [(baseline, "alone"), (baseline * 1.5, "1.5 times")] {
            chart.draw_series(LineSeries::new([(xs.start, bound), (xs.end, bound)], CALM.stroke_width(1)))?;
            let style = ("sans-serif", 12).into_font().color(&CALM);
            chart.draw_series([Text::new(name, (xs.end * 0.55, bound * 1.22), style)])?;
        }
        for point in points {
            let color = if point.ours { OURS } else { OTHERS };
            let at = (point.x.clamp(xs.start, xs.end), point.y);
            chart.draw_series([Circle::new(at, 6, color.filled())])?;
            let style = ("sans-serif", 14).into_font().color(&color);
            chart.draw_series([EmptyElement::at(at) + Text::new(point.name, (10, -16), style)])?;
        }
        area.present()?;
    }
    Ok(svg)
}

/// Something over time, with its limits.
pub(crate) fn over_time(
    title: &str,
    unit: &str,
    values: &[(f64, f64)],
    limits: &[(f64, &str)],
) -> Outcome<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let end = values.iter().map(|(at, _)| *at).fold(1.0, f64::max);
        let top = values.iter().map(|(_, value)| *value).chain(limits.iter().map(|(limit, _)| *limit));
        let top = top.fold(0.0, f64::max) * 1.2;
        let mut chart = ChartBuilder::on(&area)
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .caption(title, ("sans-serif", 18))
            .build_cartesian_2d(0.0..end, 0.0..top)?;
        chart.configure_mesh().x_desc("seconds").y_desc(unit).light_line_style(WHITE).draw()?;
        for (limit, name) in limits {
            chart.draw_series(LineSeries::new([(0.0, *limit), (end, *limit)], CALM.stroke_width(1)))?;
            let style = ("sans-serif", 12).into_font().color(&CALM);
            chart.draw_series([
                EmptyElement::at((0.0, *limit)) + Text::new((*name).to_owned(), (6, -16), style)
            ])?;
        }
        chart.draw_series(LineSeries::new(values.iter().copied(), OURS.stroke_width(2)))?;
        area.present()?;
    }
    Ok(svg)
}
